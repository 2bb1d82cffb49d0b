-- Open withdrawals whose deadline, or that of an open leg, was counted without the official calendar of a year.
--
-- $1 behind this id, or null; $2 how many at most. In the order of their ids, not locked.
select withdrawal.id
  from withdrawal
 where withdrawal.id in (
           select id
             from withdrawal
            where deadline_provisional
              and state in ('approved', 'processing', 'on_hold', 'action_required')
            union
           select withdrawal_id
             from leg
            where deadline_provisional
              and state not in ('paid', 'settled', 'released', 'canceled'))
   and withdrawal.state in ('approved', 'processing', 'on_hold', 'action_required')
   and ($1::uuid is null or withdrawal.id > $1)
 order by withdrawal.id
 limit $2
