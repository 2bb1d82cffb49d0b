-- Differences, oldest first.
--
-- $1 the rail or null, $2 the day or null, $3 whether resolved ones too, $4 how many at most.
select *
  from statement_difference
 where ($1::text is null or rail = $1)
   and ($2::date is null or day = $2)
   and ($3::boolean or resolved_at is null)
 order by day, rail, found_at, id
 limit $4
