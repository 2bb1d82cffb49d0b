-- How many withdrawals are not final, how much they are about, and since when the oldest of each state waits.
select state, count(*) as number, sum(amount)::bigint as amount, min(received_at) as oldest
  from withdrawal
 where state in ('awaiting_details', 'pending_approval', 'approved', 'processing', 'on_hold', 'action_required')
 group by state
 order by state
