-- Stops the withdrawals of accounts that are not stopped already.
--
-- $1 accounts, $2 why; $3 the moment.
update account
   set stopped_because = it.because,
       changed_at      = $3
  from unnest($1::text[], $2::text[]) as it (id, because)
 where account.id = it.id
   and account.stopped_because is null
