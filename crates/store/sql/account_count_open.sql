-- Adds to the counts of open withdrawals; the caller holds the locks.
--
-- $1 accounts, $2 what is added.
update account
   set open_withdrawals = account.open_withdrawals + it.added
  from unnest($1::text[], $2::integer[]) as it (id, added)
 where account.id = it.id
