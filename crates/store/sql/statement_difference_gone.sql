-- Resolves the open differences of a day that are no longer found.
--
-- $1 the rail, $2 the day, $3 kinds and $4 subjects of those that are still found; $5 the moment.
update statement_difference
   set resolved_at = $5, resolved_by = 'reconciliation', resolution = 'it is no longer so'
 where rail = $1
   and day = $2
   and resolved_at is null
   and (kind, subject) not in (select * from unnest($3::text[], $4::text[]))
