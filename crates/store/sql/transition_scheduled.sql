-- When legs were approved last: each with the moment from which its deadline counts.
--
-- $1 withdrawals.
select leg_id, max(at) as at
  from transition
 where withdrawal_id = any($1)
   and leg_id is not null
   and event = 'schedule'
 group by leg_id
