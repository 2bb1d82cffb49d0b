-- What gateways told by themselves about the legs of a withdrawal, oldest first.
--
-- $1 the withdrawal.
select notice.leg_id, notice.notice_id, notice.claim, notice.received_at, notice.effect
  from leg
  join notice on notice.leg_id = leg.id
 where leg.withdrawal_id = $1
 order by notice.received_at, notice.id
