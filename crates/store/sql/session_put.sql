-- Opens a session of the console.
--
-- $1 SHA-256 of the cookie, $2 the operator, $3 the moment, $4 when it ends by itself.
insert into console_session (digest, operator_id, started_at, expires_at) values ($1, $2, $3, $4)
