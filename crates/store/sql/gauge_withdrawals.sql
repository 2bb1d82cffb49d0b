-- Withdrawals that have not ended, by state: how many, and since when the longest.
--
-- No binds, no locks. A state without a withdrawal has no row.
select state, count(*) as count, min(changed_at) as oldest_at
  from withdrawal
 where state not in ('rejected', 'denied', 'expired', 'canceled', 'completed', 'partially_completed', 'failed')
 group by state
 order by state
