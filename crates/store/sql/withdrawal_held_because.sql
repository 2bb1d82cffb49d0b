-- Withdrawals that a guard put on hold, or a leg of them beside one that waits for people.
--
-- $1 the words of guards, $2 how many at most.
select id
  from withdrawal
 where state in ('on_hold', 'action_required')
   and held_because = any($1)
 order by changed_at
 limit $2
