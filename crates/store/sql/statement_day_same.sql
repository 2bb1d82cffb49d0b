-- Another day of the rail whose file said the very same.
--
-- $1 the rail, $2 the day, $3 the digest.
select day from statement_day where rail = $1 and day <> $2 and digest = $3 order by day limit 1
