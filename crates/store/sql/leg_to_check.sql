-- Legs that are to be looked at: on their way, or paid and perhaps taken back since.
--
-- $1 the moment, $2 how many at most.
select id
  from leg
 where state in ('dispatching', 'submitted', 'unknown', 'paid', 'settled')
   and check_at <= $1
 order by check_at
 limit $2
