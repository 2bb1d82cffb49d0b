-- Deadlines that are near or missed, and waits that end soon: told once each.

-- A leg whose deadline is near, and one that missed it: one row of each kind at most, for ever.
create table deadline_alert (
    leg_id         uuid        not null,
    kind           text        not null check (kind in ('warning', 'breach')),
    withdrawal_id  uuid        not null,
    rail           text        not null,
    deadline_at    timestamptz not null,                -- as it was then
    raised_at      timestamptz not null,
    primary key (leg_id, kind)
);
create index leg_deadline on leg (deadline_at)
 where deadline_at is not null and state not in ('paid', 'settled', 'released', 'canceled');

-- A reminder before a wait ends, once per wait.
create table reminder (
    withdrawal_id  uuid        not null,
    expires_at     timestamptz not null,
    sent_at        timestamptz not null,
    primary key (withdrawal_id, expires_at)
);
