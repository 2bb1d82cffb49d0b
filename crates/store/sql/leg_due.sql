-- Legs that are due and whose payout queue was not told lately. Channels that rest are not told of theirs.
--
-- $1 the moment, $2 told before, $3 how many at most.
select id, rail
  from leg
 where state = 'scheduled'
   and dispatch_at <= $1
   and (nudged_at is null or nudged_at < $2)
   and rail not in (select rail from circuit where state <> 'closed' and probe_at > $1)
 order by dispatch_at
 limit $3
