-- A held leg beside a rerouted one is let go as soon as its obstacle is gone: the withdrawal is `action_required` then.
drop index withdrawal_on_hold;
create index withdrawal_on_hold on withdrawal (changed_at) where state in ('on_hold', 'action_required');
