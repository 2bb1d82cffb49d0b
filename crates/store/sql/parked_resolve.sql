-- Ends the wait of a parked message. No row: somebody dealt with it already.
--
-- $1 its number, $2 what was done, $3 who, $4 why, $5 the moment, $6 the body that was sent instead, or null, $7 the difference, or null.
update parked_message
   set resolution = $2, resolved_by = $3, reason = $4, resolved_at = $5, replacement = $6, diff = $7
 where id = $1
   and resolved_at is null
