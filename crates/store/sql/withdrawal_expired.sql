-- Withdrawals whose time to wait for details or a decision is over.
--
-- $1 the moment, $2 how many at most.
select id
  from withdrawal
 where state in ('awaiting_details', 'pending_approval')
   and expires_at <= $1
 order by expires_at
 limit $2
