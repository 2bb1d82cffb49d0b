-- Legs that have not ended, by rail and state: how many, since when the longest,
-- the nearest deadline, and how many are past theirs.
--
-- $1 the moment. No locks. A rail and state without a leg have no row.
select rail, state, count(*) as count, min(changed_at) as oldest_at,
       min(deadline_at) as next_deadline_at,
       count(*) filter (where deadline_at < $1) as overdue
  from leg
 where state not in ('paid', 'settled', 'rerouting', 'released', 'canceled')
 group by rail, state
 order by rail, state
