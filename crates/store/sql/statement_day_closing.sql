-- The closing balance of the last day before, where it is known.
--
-- $1 the rail, $2 the day.
select closing from statement_day where rail = $1 and day < $2 and closing is not null order by day desc limit 1
