-- A page of withdrawals, the newest first.
--
-- $1 states, or null for all; $2 an account, or null; $3 a requester, or null;
-- $4 a text that is the number, the request, the account, or a payout number, or null; $5 only those before this number, or null;
-- $6 how many at most.
select *
  from withdrawal
 where ($1::text[] is null or state = any($1))
   and ($2::text is null or account_id = $2)
   and ($3::text is null or requester = $3)
   and ($4::text is null
        or id::text = lower($4)
        or account_id = $4
        or request_id = $4
        or id in (select withdrawal_id from leg where payout_no = upper($4)))
   and ($5::uuid is null or id < $5)
 order by id desc
 limit $6
