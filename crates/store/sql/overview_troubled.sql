-- Legs that people should look at: in doubt, in review, sent back, or late. The longest in doubt first.
--
-- $1 the moment, $2 how many at most.
select *
  from leg
 where state in ('unknown', 'manual_review', 'returned', 'rerouting')
    or (state in ('scheduled', 'dispatching', 'submitted', 'held') and deadline_at < $1)
 order by coalesce(doubted_at, deadline_at, minted_at), id
 limit $2
