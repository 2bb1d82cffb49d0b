-- Withdrawals that a guard put on hold.
--
-- $1 the words of guards, $2 how many at most.
select id
  from withdrawal
 where state = 'on_hold'
   and held_because = any($1)
 order by changed_at
 limit $2
