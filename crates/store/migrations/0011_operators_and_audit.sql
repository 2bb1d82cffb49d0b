-- People and services that use the API and the console, and the chain of everything they did.

-- A token is shown once, when it is made; only its SHA-256 is kept. It has 256 random bits, so that nobody can guess at it.
create table operator (
    id            uuid primary key,
    name          text        not null,                  -- the actor of everything done with the token
    role          text        not null check (role in ('viewer', 'operator', 'approver', 'admin')),
    token_digest  bytea       not null unique check (length(token_digest) = 32),
    created_at    timestamptz not null,
    created_by    text        not null,
    revoked_at    timestamptz,
    revoked_by    text,
    check (num_nulls(revoked_at, revoked_by) in (0, 2))
);
create unique index operator_in_force on operator (name) where revoked_at is null;

-- Who is logged in at the console: the SHA-256 of the cookie.
create table console_session (
    digest       bytea primary key check (length(digest) = 32),
    operator_id  uuid        not null references operator (id),
    started_at   timestamptz not null,
    expires_at   timestamptz not null check (expires_at > started_at),
    ended_at     timestamptz
);

-- S13: insert-only, and each row holds the digest of the one before, so that none can be changed, left out or put in unseen.
create table audit_entry (
    sequence  bigint primary key check (sequence > 0),   -- 1, 2, 3, … without a gap
    at        timestamptz not null,
    actor     text        not null check (actor <> ''),
    role      text        not null,
    action    text        not null check (action <> ''),
    subject   text        not null,
    detail    jsonb       not null,                      -- without secrets
    previous  bytea       not null,                      -- empty in the first row
    digest    bytea       not null unique
);
create index audit_by_subject on audit_entry (subject, sequence);

create function audit_digest(entry audit_entry) returns bytea
    language sql stable
    return sha256(entry.previous || convert_to(
        jsonb_build_array(entry.sequence, (extract(epoch from entry.at) * 1000000)::bigint, entry.actor, entry.role,
                          entry.action, entry.subject, entry.detail)::text, 'UTF8'));

create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% is insert-only', tg_table_name using errcode = 'insufficient_privilege';
end $$;
create trigger audit_entry_is_insert_only before update or delete or truncate on audit_entry
    for each statement execute function refuse_change();

-- What the console counts and lists: what is not final, which is little beside what is.
create index withdrawal_open on withdrawal (state, received_at)
 where state in ('awaiting_details', 'pending_approval', 'approved', 'processing', 'on_hold', 'action_required');
create index leg_open on leg (rail, state)
 where state in ('planned', 'scheduled', 'dispatching', 'submitted', 'unknown', 'rerouting', 'returned', 'held', 'manual_review');
create index attempt_by_time on attempt (started_at);
