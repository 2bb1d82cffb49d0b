-- Settlement days of channels against their own statements, and what does not agree.

create table statement_day (
    id          uuid primary key,
    rail        text        not null check (rail in ('alipay', 'wechat', 'unionpay', 'bank')),
    day         date        not null,
    state       text        not null check (state in ('open', 'refused', 'differs', 'closed')),
    digest      bytea,                                   -- sha256 of what the file says; null: none was taken
    lines       integer,                                 -- of ours, in the file
    total       bigint,                                  -- what left, by the file
    opening     bigint,                                  -- the bank's balances
    closing     bigint,
    source      text,                                    -- where the file came from
    detail      text,                                    -- why the day is not closed, for people
    looked_at   timestamptz not null,
    closed_at   timestamptz,
    unique (rail, day),
    check ((closed_at is not null) = (state = 'closed')),
    check (num_nulls(digest, lines, total) in (0, 3)),
    check (num_nulls(opening, closing) in (0, 2))
);
create index statement_day_by_digest on statement_day (rail, digest) where digest is not null;

-- Each is an alert until somebody or something resolves it. Nothing is deleted.
create table statement_difference (
    id           uuid primary key,
    rail         text        not null,
    day          date        not null,
    kind         text        not null,
    subject      text        not null,                   -- the payout number, or the file's digest
    leg_id       uuid,
    ours         bigint,                                 -- the amount in our books
    theirs       bigint,                                 -- the amount in the statement
    detail       text        not null,
    found_at     timestamptz not null,
    resolved_at  timestamptz,
    resolved_by  text,
    resolution   text        check (resolution <> ''),
    unique (rail, day, kind, subject),
    check (num_nulls(resolved_at, resolved_by, resolution) in (0, 3))
);
create index statement_difference_open on statement_difference (rail, day) where resolved_at is null;
