-- Rerouted legs, reviews that people end, and what gateways say too late.

-- At most one leg takes the place of another, for ever: a slice has one live generation.
create unique index leg_successor on leg (predecessor_id) where predecessor_id is not null;

-- S01: which effect was approved, each time that one was. A rerouted leg is approved anew.
create table approval (
    id             bigint generated always as identity primary key,
    withdrawal_id  uuid        not null,
    effect_digest  bytea,
    approved_by    text        not null,                 -- the worker, or the person who completed the quorum
    approved_at    timestamptz not null
);
create index approval_by_withdrawal on approval (withdrawal_id, id);
insert into approval (withdrawal_id, effect_digest, approved_by, approved_at)
select id, effect_digest, 'before this was kept', approved_at from withdrawal where approved_at is not null;

-- What people say became of a leg in manual review. Two of them must say the same.
create table resolution (
    id             uuid primary key,
    source         text        not null,
    event_id       text        not null,
    leg_id         uuid        not null,
    withdrawal_id  uuid        not null,
    review         integer     not null,                 -- the leg's sequence: which of its reviews is meant
    claim          text        not null check (claim in ('paid', 'not_paid')),
    evidence       text        not null check (evidence <> ''),
    actor          text        not null check (actor <> ''),
    result         text        not null,                 -- proposed, applied, or the rule that refused it
    made_at        timestamptz not null,
    unique (source, event_id)
);
create index resolution_by_leg on resolution (leg_id, id);

-- Append-only. What a gateway said about a leg that had ended differently. It moves nothing: people must look.
create table late_effect (
    id             uuid primary key,
    leg_id         uuid        not null,
    withdrawal_id  uuid        not null,
    state          text        not null,                 -- of the leg, when it was said
    claim          text        not null check (claim in ('paid', 'returned')),
    told_by        text        not null check (told_by in ('notice', 'query', 'statement')),
    detail         text        not null,
    found_at       timestamptz not null
);
create index late_effect_by_leg on late_effect (leg_id);
create index late_effect_by_withdrawal on late_effect (withdrawal_id);

-- A slice that waits for another destination expires like a request that nobody decided.
drop index withdrawal_expiring;
create index withdrawal_expiring on withdrawal (expires_at)
 where state in ('awaiting_details', 'pending_approval', 'action_required');

-- A hint about a leg in manual review, or about one that its channel refused, makes settle ask once more.
drop index leg_to_check;
create index leg_to_check on leg (check_at)
 where state in ('dispatching', 'submitted', 'unknown', 'paid', 'settled', 'manual_review', 'rerouting') and check_at is not null;
