-- Withdrawals that have waited for an approval since before a moment.
--
-- $1 waiting since before, $2 behind this id, or null, $3 how many at most. In the order of their ids, not locked.
select id
  from withdrawal
 where state = 'pending_approval'
   and changed_at < $1
   and ($2::uuid is null or id > $2)
 order by id
 limit $3
