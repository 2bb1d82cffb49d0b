-- Withdrawals whose time to wait for details or a decision is over: their own, or those of a rerouted leg.
--
-- $1 the moment, $2 how many at most.
select id
  from withdrawal
 where state in ('awaiting_details', 'pending_approval', 'action_required')
   and expires_at <= $1
 order by expires_at
 limit $2
