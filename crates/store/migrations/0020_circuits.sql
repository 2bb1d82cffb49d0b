-- How each channel is used: a row per rail, for every payout worker alike.

create table circuit (
    rail            text primary key check (rail in ('alipay', 'wechat', 'unionpay', 'bank')),
    version         bigint      not null default 0,      -- one more with each change
    state           text        not null check (state in ('closed', 'open', 'half_open')),
    failures        integer     not null default 0 check (failures >= 0),  -- in a row
    tally_since     timestamptz,                         -- calls that are counted since a failure
    tally_calls     integer,
    tally_failures  integer,
    cause           text,                                -- what opened it
    opened_at       timestamptz,
    probe_at        timestamptz,                         -- open: when one call may try; half open: when that call is given up
    probe_leg_id    uuid,                                -- half open: whose call it is
    rests           integer     not null default 0 check (rests >= 0),     -- in a row
    paced_until     timestamptz,                         -- until when the calls of its pace are spoken for
    changed_at      timestamptz not null,
    check ((state = 'closed') = (opened_at is null)),
    check ((state = 'closed') = (probe_at is null)),
    check ((state = 'half_open') = (probe_leg_id is not null)),
    check (num_nulls(tally_since, tally_calls, tally_failures) in (0, 3)),
    check (tally_failures between 0 and tally_calls)
);
insert into circuit (rail, state, changed_at)
select rail, 'closed', 'epoch' from unnest(array['alipay', 'wechat', 'unionpay', 'bank']) as it (rail);
