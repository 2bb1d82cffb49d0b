-- How many legs are not final, by rail and state, how much they carry, and which deadline comes first.
select rail, state, count(*) as number, sum(amount)::bigint as amount, min(deadline_at) as first_deadline,
       min(changed_at) as oldest
  from leg
 where state in ('planned', 'scheduled', 'dispatching', 'submitted', 'unknown', 'rerouting', 'returned', 'held', 'manual_review')
 group by rail, state
 order by rail, state
