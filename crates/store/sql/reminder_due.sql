-- Withdrawals whose wait for details or a decision ends soon, and nobody was reminded of it.
--
-- $1 the moment, $2 the last end of a wait that is soon, $3 how many at most.
select id
  from withdrawal
 where state in ('awaiting_details', 'pending_approval', 'action_required')
   and expires_at > $1
   and expires_at <= $2
   and not exists (select 1
                     from reminder
                    where reminder.withdrawal_id = withdrawal.id and reminder.expires_at = withdrawal.expires_at)
 order by expires_at
 limit $3
