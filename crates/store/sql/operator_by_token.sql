-- Whose token it is.
--
-- $1 SHA-256 of the token. No row: nobody's, or it was revoked.
select id, name, role, created_at, created_by, revoked_at, revoked_by
  from operator
 where token_digest = $1
   and revoked_at is null
