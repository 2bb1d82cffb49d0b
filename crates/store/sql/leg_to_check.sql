-- Legs that are to be looked at: on their way, paid and perhaps taken back since, or hinted at
-- although they had ended otherwise.
--
-- $1 the moment, $2 how many at most.
select id
  from leg
 where state in ('dispatching', 'submitted', 'unknown', 'paid', 'settled', 'manual_review', 'rerouting')
   and check_at <= $1
 order by check_at
 limit $2
