-- Legs whose deadline lies in a span of time, whose money is not there, and that have no alert of a kind yet, the oldest
-- deadline first. A leg whose place another one took is not late: the other one is.
--
-- $1 the kind, $2 the start of the span, $3 its end, both included; $4 how many at most.
select id, withdrawal_id
  from leg
 where deadline_at between $2 and $3
   and state not in ('paid', 'settled', 'released', 'canceled')
   and paid_at is null
   and not exists (select 1 from leg as successor where successor.predecessor_id = leg.id)
   and not exists (select 1 from deadline_alert where deadline_alert.leg_id = leg.id and kind = $1)
 order by deadline_at
 limit $4
