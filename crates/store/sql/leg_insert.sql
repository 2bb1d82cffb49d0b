-- Writes new legs.
--
-- $1 ids, $2 withdrawals, $3 accounts, $4 top-ups, $5 positions, $6 generations, $7 predecessors, $8 rails, $9 payees,
-- $10 amounts, $11 payout numbers, $12 when they were minted, $13 states, $14 sequences, $15 upstream's top-up numbers,
-- $16 ends of the payees' numbers; $17 the moment.
insert into leg (id, withdrawal_id, account_id, top_up_id, position, generation, predecessor_id, rail, bank_account_id,
                 amount, payout_no, minted_at, state, sequence, top_up_upstream_id, payee_last_four, changed_at)
select id, withdrawal_id, account_id, top_up_id, position, generation, predecessor_id, rail, bank_account_id,
       amount, payout_no, minted_at, state, sequence, top_up_upstream_id, payee_last_four, $17
  from unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::integer[], $6::integer[], $7::uuid[], $8::text[], $9::uuid[],
              $10::bigint[], $11::text[], $12::timestamptz[], $13::text[], $14::integer[], $15::text[], $16::text[])
       as it (id, withdrawal_id, account_id, top_up_id, position, generation, predecessor_id, rail, bank_account_id,
              amount, payout_no, minted_at, state, sequence, top_up_upstream_id, payee_last_four)
