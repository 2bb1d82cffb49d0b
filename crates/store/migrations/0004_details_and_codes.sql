-- Bank details that come after the request, what people tell Outflow about a withdrawal, and verification codes.

-- R11: a row per version of a withdrawal's details, and nothing is overwritten. The accounts of top-ups have no version.
alter table bank_account
    add column withdrawal_id  uuid,
    add column version        integer check (version > 0),
    add column given_by       text,
    add check (num_nonnulls(withdrawal_id, version, given_by) in (0, 3));
update bank_account
   set withdrawal_id = withdrawal.id, version = 1, given_by = withdrawal.requester
  from withdrawal
 where withdrawal.bank_account_id = bank_account.id;
create unique index bank_account_version on bank_account (withdrawal_id, version) where withdrawal_id is not null;

-- Every decision and every set of bank details that was read, with what came of it. (source, event_id) is unique for ever.
create table instruction (
    source         text        not null,
    event_id       text        not null,
    type           text        not null,
    withdrawal_id  uuid        not null,
    form           jsonb,                               -- what it said, without secrets; null: not kept at the time
    actor          text        not null,
    result         text        not null,                -- applied, or the codes of the rules that refused it
    received_at    timestamptz not null,
    primary key (source, event_id)
);
create index instruction_by_withdrawal on instruction (withdrawal_id);
insert into instruction (source, event_id, type, withdrawal_id, actor, result, received_at)
select source, event_id, 'outflow.withdrawal.decided.v1', withdrawal_id, actor, result, decided_at from decision;

-- S01: an approval counts for the effect that it was given on, and for no other.
alter table decision add column effect_digest bytea;
update decision
   set effect_digest = withdrawal.effect_digest
  from withdrawal
 where withdrawal.id = decision.withdrawal_id;
drop index decision_one_approval_each;
create unique index decision_one_approval_each on decision (withdrawal_id, actor, effect_digest)
    where verdict = 'approve' and result = 'applied';

-- R10: codes that customers enter. The code itself is nowhere: only its HMAC is kept.
create table verification_code (
    id            uuid primary key,
    account_id    text        not null,
    amount        bigint      not null check (amount > 0),
    currency      text        not null,
    route         text        not null check (route in ('source', 'bank_card')),
    request_id    text        not null,
    code_digest   bytea       not null,
    issued_at     timestamptz not null,
    expires_at    timestamptz not null,
    guesses       integer     not null default 0 check (guesses >= 0),  -- wrong ones
    confirmed_at  timestamptz
);
create index verification_code_by_account on verification_code (account_id, issued_at);
