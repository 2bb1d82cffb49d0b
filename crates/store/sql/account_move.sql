-- Moves the running totals of accounts along with the buckets of their top-ups.
--
-- $1 accounts, then what is added: $2 remaining, $3 held. Fewer rows than elements: an account is missing, roll back.
update account
   set remaining = account.remaining + delta.remaining,
       held      = account.held + delta.held
  from unnest($1::text[], $2::bigint[], $3::bigint[]) as delta (id, remaining, held)
 where account.id = delta.id
