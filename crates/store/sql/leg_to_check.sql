-- Legs on their way that are to be looked at.
--
-- $1 the moment, $2 how many at most.
select id
  from leg
 where state in ('dispatching', 'submitted', 'unknown')
   and check_at <= $1
 order by check_at
 limit $2
