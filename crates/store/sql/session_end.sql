-- Ends a session.
--
-- $1 SHA-256 of the cookie, $2 the moment.
update console_session set ended_at = $2 where digest = $1 and ended_at is null
