-- The days of a rail that are closed.
--
-- $1 the rail, $2 the first day, $3 the last.
select day from statement_day where rail = $1 and day between $2 and $3 and state = 'closed'
