-- What a dispatch, a new calendar and people ask for.

-- R18: how many refunds of one payment are on their way or done.
create index leg_refunds on leg (top_up_id) where rail <> 'bank';

-- R7b: deadlines that were counted without the official calendar of a year.
create index withdrawal_provisional on withdrawal (id)
 where deadline_provisional and state in ('approved', 'processing', 'on_hold', 'action_required');
create index leg_provisional on leg (withdrawal_id)
 where deadline_provisional and state not in ('paid', 'settled', 'released', 'canceled');

-- Accounts whose withdrawals are stopped: few, and looked for by people.
create index account_stopped on account (id) where stopped_because is not null;

-- Facts that were refused: looked for by people, when an account stands still.
create index fact_refused on fact (account_id, version) where refused_at is not null;

-- Append-only. What people did about an account whose facts had stopped it.
create table account_intervention (
    id          uuid primary key,
    account_id  text        not null,
    action      text        not null check (action in ('skip_fact', 'end_stop')),
    version     bigint,                                  -- the fact that was skipped
    stopped     text,                                    -- why the account was stopped at that moment
    reason      text        not null check (reason <> ''),
    actor       text        not null check (actor <> ''),
    at          timestamptz not null,
    check ((action = 'skip_fact') = (version is not null))
);
create index account_intervention_by_account on account_intervention (account_id, id);
create unique index account_intervention_one_skip on account_intervention (account_id, version) where action = 'skip_fact';
