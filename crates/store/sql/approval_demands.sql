-- How many people withdrawals need for the effect that they have now, where a rule has looked already.
--
-- $1 withdrawals.
select approval_demand.withdrawal_id, approval_demand.effect_digest, people, demands
  from approval_demand
  join withdrawal on withdrawal.id = approval_demand.withdrawal_id
                 and withdrawal.effect_digest = approval_demand.effect_digest
 where approval_demand.withdrawal_id = any($1)
