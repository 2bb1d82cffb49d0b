-- What must be published, and what could not be understood.

-- One relay at a time per shard publishes these in id order; the shard is a hash of the key, so that
-- messages of one withdrawal stay in order.
create table outbox (
    id            bigint generated always as identity primary key,
    shard         smallint    not null,
    key           text        not null,                  -- withdrawal id, or message id
    exchange      text        not null,
    routing_key   text        not null,
    content_type  text        not null,
    headers       jsonb       not null default '{}',
    body          bytea       not null,
    created_at    timestamptz not null,
    published_at  timestamptz
) with (fillfactor = 80);
create index outbox_unpublished on outbox (shard, id) where published_at is null;

-- Messages that no worker can use, kept whole for people. Its dead letter carries the same problem.
create table parked_message (
    id            uuid primary key,
    queue         text        not null,
    message_id    text,
    digest        bytea       not null,                  -- sha256 of the body
    body          bytea       not null,                  -- sealed with the vault: it may hold account numbers
    headers       jsonb       not null,
    problem       jsonb       not null,                  -- RFC 9457
    parked_at     timestamptz not null,
    resolved_at   timestamptz,
    resolution    text
);
create index parked_unresolved on parked_message (parked_at) where resolved_at is null;
create index parked_by_digest on parked_message (queue, digest);

-- Deliveries of a request that is already known: same content answered again, other content refused.
create table repeat_request (
    id             uuid primary key,
    withdrawal_id  uuid        not null,
    verdict        text        not null check (verdict in ('same', 'conflict')),
    digest         bytea       not null,
    differing      jsonb       not null default '[]',    -- the names of the fields that differ
    received_at    timestamptz not null
);

-- Switches that people or the verify duty throw: 'all', or the name of a rail. A row stops sends.
create table stop (
    name        text primary key,
    reason      text        not null,
    thrown_by   text        not null,
    thrown_at   timestamptz not null
);
