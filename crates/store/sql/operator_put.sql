-- Adds a person or a service with a token. No row: the name is taken by one that is in force.
--
-- $1 id, $2 name, $3 role, $4 SHA-256 of the token, $5 who adds them, $6 the moment.
insert into operator (id, name, role, token_digest, created_by, created_at)
values ($1, $2, $3, $4, $5, $6)
    on conflict (name) where revoked_at is null do nothing
