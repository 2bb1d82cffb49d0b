-- Whose session it is.
--
-- $1 SHA-256 of the cookie, $2 the moment. No row: nobody's, or it is over, or the token behind it was revoked.
select operator.id, name, role, created_at, created_by, revoked_at, revoked_by
  from console_session
  join operator on operator.id = operator_id
 where digest = $1
   and ended_at is null
   and expires_at > $2
   and revoked_at is null
