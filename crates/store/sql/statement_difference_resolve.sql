-- A person resolves a difference. No row: it is resolved, or there is none.
--
-- $1 the difference, $2 who, $3 how; $4 the moment.
update statement_difference
   set resolved_at = $4, resolved_by = $2, resolution = $3
 where id = $1
   and resolved_at is null
returning rail, day
