-- The people whose approvals stand: those of the effect that would be paid now.
--
-- $1 withdrawals.
select decision.withdrawal_id, decision.actor
  from decision
  join withdrawal on withdrawal.id = decision.withdrawal_id
 where withdrawal_id = any($1)
   and verdict = 'approve'
   and result = 'applied'
   and decision.effect_digest is not distinct from withdrawal.effect_digest
