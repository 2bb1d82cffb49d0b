-- The payments that source refunds send back, how many other refunds of each the channel has carried out or may have, and when the
-- channel was last asked for one of them.
--
-- $1 legs. Bank legs are left out. The caller holds the locks of the accounts, so that no other refund is dispatched meanwhile.
-- A leg whose money went back counts only if it was paid out before.
select leg.id, top_up.channel, top_up.contract_entity, top_up.arrived_at, top_up.channel_paid_at, others.refunds, others.asked_at
  from leg
  join top_up on top_up.id = leg.top_up_id
 cross join lateral (
       select count(*) filter (where other.state not in ('released', 'canceled', 'rerouting') or other.paid_at is not null) as refunds,
              max((select max(started_at) from attempt where leg_id = other.id and kind = 'pay')) as asked_at
         from leg as other
        where other.top_up_id = leg.top_up_id
          and other.rail <> 'bank'
          and other.id <> leg.id
          and other.attempts > 0) as others
 where leg.id = any($1)
   and leg.rail <> 'bank'
