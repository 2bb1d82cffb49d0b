-- A settlement day, locked.
--
-- $1 the rail, $2 the day.
select * from statement_day where rail = $1 and day = $2 for update
