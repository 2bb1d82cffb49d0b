-- The newest settlement days with their open differences.
--
-- $1 how many at most.
select statement_day.*,
       (select count(*)
          from statement_difference as difference
         where difference.rail = statement_day.rail
           and difference.day = statement_day.day
           and difference.resolved_at is null) as differences
  from statement_day
 order by day desc, rail
 limit $1
