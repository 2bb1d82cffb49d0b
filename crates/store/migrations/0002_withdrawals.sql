-- Withdrawals, their legs, and the traces they leave.

create table withdrawal (
    id                    uuid primary key,
    source                text        not null,          -- CloudEvents source of the request
    request_id            text        not null,          -- CloudEvents id of the request
    account_id            text        not null,
    digest                bytea       not null,          -- sha256 of `request`
    request               jsonb       not null,          -- as it was asked for, without secrets
    amount                bigint      not null check (amount > 0),
    currency              text        not null,
    route                 text        not null check (route in ('source', 'bank_card')),
    requester             text        not null,
    bank_account_id       uuid,
    state                 text        not null,
    held_from             text,                          -- on_hold remembers where it came from
    held_because          text,                          -- the reason code of a guard, or a person's words
    sequence              integer     not null,          -- of its last transition; events carry it
    reasons               jsonb       not null default '[]',
    terms                 jsonb       not null default '{}', -- R1: every term behind the decision
    effect_digest         bytea,                         -- what approvers bind to: payee, amount, route, legs
    traceparent           text,
    requested_at          timestamptz not null,
    received_at           timestamptz not null,
    approved_at           timestamptz,
    deadline_at           timestamptz,                   -- R7: its latest leg's
    deadline_provisional  boolean     not null default false,
    expires_at            timestamptz,                   -- of waiting for details or a decision
    changed_at            timestamptz not null,
    unique (source, request_id)
) with (fillfactor = 70);
create index withdrawal_by_account on withdrawal (account_id, id desc);
create index withdrawal_expiring on withdrawal (expires_at) where state in ('awaiting_details', 'pending_approval');
create index withdrawal_on_hold on withdrawal (changed_at) where state = 'on_hold';

create table leg (
    id                    uuid primary key,
    withdrawal_id         uuid        not null,
    account_id            text        not null,
    top_up_id             uuid        not null,
    top_up_upstream_id    text        not null,          -- the same slice, as events name it
    position              integer     not null,          -- R9: newest slice first
    generation            integer     not null default 1,
    predecessor_id        uuid,
    rail                  text        not null check (rail in ('alipay', 'wechat', 'unionpay', 'bank')),
    bank_account_id       uuid,                          -- of the payee, on the bank rail
    payee_last_four       text,                          -- the end of the payee's number, for events and people
    amount                bigint      not null check (amount > 0),
    payout_no             text        not null unique,   -- one per generation, for ever
    minted_at             timestamptz not null,          -- part of the identity at UnionPay (txnTime)
    state                 text        not null,
    sequence              integer     not null,          -- of its last transition
    dispatch_at           timestamptz,
    nudged_at             timestamptz,                   -- when its payout queue was last told
    execute_on            date,                          -- part of the identity at the bank: fixed by the first send
    deadline_at           timestamptz,
    deadline_provisional  boolean     not null default false,
    lease_until           timestamptz,
    attempts              integer     not null default 0,
    queries               integer     not null default 0,
    asked                 integer     not null default 0,  -- queries since its last send
    check_at              timestamptz,                   -- when settle looks at it next
    doubted_at            timestamptz,                   -- when it last became unknown
    reference             text,                          -- the gateway's own number
    code                  text,                          -- the gateway's last code
    detail                text,                          -- the gateway's last words
    paid_at               timestamptz,
    changed_at            timestamptz not null
) with (fillfactor = 70);
create index leg_by_withdrawal on leg (withdrawal_id);
create index leg_due on leg (dispatch_at) where state = 'scheduled';
create index leg_to_check on leg (check_at) where state in ('dispatching', 'submitted', 'unknown');

-- Append-only. Committed before the call it stands for.
create table attempt (
    id          uuid primary key,
    leg_id      uuid        not null,
    payout_no   text        not null,
    number      integer     not null,                    -- counts the calls of this leg
    kind        text        not null check (kind in ('pay', 'query')),
    started_at  timestamptz not null,
    unique (leg_id, kind, number)
);
-- Append-only. What the call brought; an attempt without one was interrupted.
create table attempt_outcome (
    attempt_id   uuid primary key,
    outcome      text        not null,
    code         text,
    detail       text,
    reference    text,
    finished_at  timestamptz not null
);

-- Append-only. Every move of every withdrawal and leg.
create table transition (
    id             bigint generated always as identity primary key,
    withdrawal_id  uuid        not null,
    leg_id         uuid,                                 -- null for the withdrawal itself
    sequence       integer     not null,                 -- per withdrawal, or per leg
    from_state     text        not null,
    to_state       text        not null,
    event          text        not null,
    actor          text        not null,                 -- worker or person
    note           text,
    at             timestamptz not null,
    unique nulls not distinct (withdrawal_id, leg_id, sequence)
);

-- People's decisions, each bound to the effect it was made on.
create table decision (
    id             uuid primary key,
    source         text        not null,
    event_id       text        not null,
    withdrawal_id  uuid        not null,
    verdict        text        not null check (verdict in ('approve', 'deny', 'cancel')),
    actor          text        not null,
    reason         text        not null,
    result         text        not null,                 -- applied, or why not
    decided_at     timestamptz not null,
    unique (source, event_id)
);
create index decision_by_withdrawal on decision (withdrawal_id);
create unique index decision_one_approval_each on decision (withdrawal_id, actor) where verdict = 'approve' and result = 'applied';
