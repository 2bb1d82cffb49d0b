-- Writes new bank accounts.
--
-- $1 ids, $2 accounts, $3 holders, $4 sealed numbers, $5 digests of the numbers, $6 last four, $7 banks, $8 branches,
-- $9 CNAPS codes; $10 the moment.
insert into bank_account (id, account_id, holder, sealed_number, number_digest, last_four, bank_name, branch, cnaps, created_at)
select id, account_id, holder, sealed_number, number_digest, last_four, bank_name, branch, cnaps, $10
  from unnest($1::uuid[], $2::text[], $3::text[], $4::bytea[], $5::bytea[], $6::text[], $7::text[], $8::text[], $9::text[])
       as it (id, account_id, holder, sealed_number, number_digest, last_four, bank_name, branch, cnaps)
