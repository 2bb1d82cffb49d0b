-- Who must approve what and why, and decisions that stop a withdrawal or let it go on.

-- How many people an effect needs, and which rules said so. The first look at an effect stays; an edit is another effect.
create table approval_demand (
    withdrawal_id  uuid        not null,
    effect_digest  bytea       not null,
    people         integer     not null check (people >= 0),
    demands        jsonb       not null,                -- [{rule, people, why}], the strictest first
    decided_at     timestamptz not null,
    primary key (withdrawal_id, effect_digest)
);

-- Velocity: what an account, or a payee, was let have lately.
create index withdrawal_pace on withdrawal (account_id, received_at);
create index leg_by_payee on leg (bank_account_id) where bank_account_id is not null;

-- A person can also hold a withdrawal and let it go again.
alter table decision drop constraint decision_verdict_check;
alter table decision add constraint decision_verdict_check
    check (verdict in ('approve', 'deny', 'cancel', 'hold', 'release'));
