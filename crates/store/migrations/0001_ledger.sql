-- The ledger: accounts, their top-ups, and the journal of every movement between buckets.
--
-- Amounts are bigint minor units of the account's currency. Moments come from the callers' clock: no now().
-- Rows of an account carry account_id, so that every table can be sharded by it.

create table account (
    id                   text primary key,
    currency             text        not null,
    kind                 text        not null check (kind in ('person', 'enterprise')),
    real_name            text        not null,
    real_name_verified   boolean     not null,
    advance_payment      boolean     not null,          -- R2: tied to a partner in advance-payment mode
    master_account_id    text,                          -- R5: set on enterprise members
    contract_entity      text        not null,          -- R6: windows can differ by it
    refunds_forbidden    boolean     not null,          -- R15
    -- Running totals of this account's top-ups, kept in the transaction that moves them.
    remaining            bigint      not null default 0 check (remaining >= 0),
    held                 bigint      not null default 0 check (held >= 0),
    outstanding_invoice  bigint      not null default 0, -- R4: issued less returned less paid
    unbilled             bigint      not null default 0 check (unbilled >= 0),
    open_withdrawals     integer     not null default 0 check (open_withdrawals >= 0),
    stopped_because      text,                          -- withdrawals of this account stop while set
    -- Facts apply strictly in this order; later ones wait in `fact`.
    fact_version         bigint      not null default 0,
    changed_at           timestamptz not null
) with (fillfactor = 70);

create table top_up (
    id               uuid primary key,
    account_id       text        not null,
    upstream_id      text        not null,
    sequence         bigint      not null,              -- R9: breaks ties of arrived_at
    channel          text        not null,
    contract_entity  text        not null,
    trade_no         text,                              -- the channel's number of the payment
    out_trade_no     text,                              -- our number of the payment
    payer_name       text,                              -- wallet holder or paying account's holder (R12)
    bank_account_id  uuid,                              -- R8: the source account of a bank transfer
    arrived_at       timestamptz not null,              -- R6b: credit time
    channel_paid_at  timestamptz not null,              -- R6b: the channel's own limits count from it
    bonus            boolean     not null,              -- R3
    original         bigint      not null check (original > 0),
    remaining        bigint      not null check (remaining >= 0),
    allocated        bigint      not null default 0 check (allocated >= 0),
    consumed         bigint      not null default 0 check (consumed >= 0),
    held             bigint      not null default 0 check (held >= 0),
    paid_out         bigint      not null default 0 check (paid_out >= 0),
    -- Changes only when the slice is emptied or refilled, so that updates of `remaining` stay HOT.
    open             boolean     not null,
    check (original = remaining + allocated + consumed + held + paid_out),
    check (open = (remaining > 0)),
    unique (account_id, upstream_id)
) with (fillfactor = 70);

create index top_up_newest_first on top_up (account_id, arrived_at desc, sequence desc) where open;

-- Bank accounts that give or receive money. The number is sealed with AES-256-GCM; only its last four are readable.
create table bank_account (
    id             uuid primary key,
    account_id     text        not null,
    holder         text        not null,
    sealed_number  bytea       not null,                -- key id, nonce, ciphertext and tag; bound to id
    number_digest  bytea       not null,                -- HMAC, for look-up
    last_four      text        not null,
    bank_name      text        not null,
    branch         text        not null,
    cnaps          text        not null,
    created_at     timestamptz not null
);
create index bank_account_by_number on bank_account (number_digest);

-- Append-only. From which bucket to which, how much, and why.
create table transfer (
    id           bigint generated always as identity primary key,
    account_id   text        not null,
    top_up_id    uuid        not null,
    from_bucket  text        not null check (from_bucket in ('outside', 'remaining', 'allocated', 'consumed', 'held', 'paid_out')),
    to_bucket    text        not null check (to_bucket in ('remaining', 'allocated', 'consumed', 'held', 'paid_out')),
    amount       bigint      not null check (amount > 0),
    cause        text        not null,                  -- credited, billed, granted, reclaimed, hold, release, payout, returned
    cause_id     text        not null,                  -- event id, allocation id or leg id
    at           timestamptz not null,
    check (from_bucket <> to_bucket)
);
create index transfer_by_top_up on transfer (top_up_id);

-- Every account fact that was read: applied, refused, or waiting for the versions before it.
create table fact (
    source       text        not null,
    event_id     text        not null,
    account_id   text        not null,
    version      bigint      not null check (version > 0),
    type         text        not null,
    digest       bytea       not null,                  -- sha256 of the canonical type and data
    body         bytea,                                 -- the message, sealed, for as long as it waits
    received_at  timestamptz not null,
    applied_at   timestamptz,
    refused_at   timestamptz,                           -- contradicted what is known; its version is free again
    reported_at  timestamptz,                           -- waited too long: people were told which versions are missing
    primary key (source, event_id),
    check (num_nonnulls(body, applied_at, refused_at) = 1)
);
create unique index fact_version on fact (account_id, version) where refused_at is null;
create index fact_waiting on fact (account_id, version) where body is not null;

-- R4: what is known of each invoice.
create table invoice (
    account_id  text        not null,
    id          text        not null,
    issued      bigint      not null check (issued >= 0),
    returned    bigint      not null default 0 check (returned >= 0),
    paid        bigint      not null default 0 check (paid >= 0),
    changed_at  timestamptz not null,
    primary key (account_id, id),
    check (returned + paid <= issued)
);

-- R5: money given to enterprise members, and the slices it was taken from.
create table allocation (
    account_id         text        not null,            -- the master
    id                 text        not null,
    member_account_id  text        not null,
    granted            bigint      not null check (granted > 0),
    reclaimed          bigint      not null default 0 check (reclaimed >= 0),
    invoiced           boolean     not null default false,
    changed_at         timestamptz not null,
    primary key (account_id, id),
    check (reclaimed <= granted)
);
create table allocation_slice (
    account_id     text   not null,
    allocation_id  text   not null,
    top_up_id      uuid   not null,
    position       integer not null,                    -- newest slice first
    amount         bigint not null check (amount >= 0),
    primary key (account_id, allocation_id, position),
    foreign key (account_id, allocation_id) references allocation (account_id, id)
);
