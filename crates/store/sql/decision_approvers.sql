-- The people whose approvals stand.
--
-- $1 withdrawals.
select withdrawal_id, actor
  from decision
 where withdrawal_id = any($1)
   and verdict = 'approve'
   and result = 'applied'
