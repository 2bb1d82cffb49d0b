-- Writes new bank accounts.
--
-- $1 ids, $2 accounts, $3 holders, $4 sealed numbers, $5 digests of the numbers, $6 last four, $7 banks, $8 branches,
-- $9 CNAPS codes; $10 the moment; $11 withdrawals, $12 versions, $13 who gave them: null for accounts of top-ups.
insert into bank_account (id, account_id, holder, sealed_number, number_digest, last_four, bank_name, branch, cnaps, created_at,
                          withdrawal_id, version, given_by)
select id, account_id, holder, sealed_number, number_digest, last_four, bank_name, branch, cnaps, $10,
       withdrawal_id, version, given_by
  from unnest($1::uuid[], $2::text[], $3::text[], $4::bytea[], $5::bytea[], $6::text[], $7::text[], $8::text[], $9::text[],
              $11::uuid[], $12::integer[], $13::text[])
       as it (id, account_id, holder, sealed_number, number_digest, last_four, bank_name, branch, cnaps,
              withdrawal_id, version, given_by)
