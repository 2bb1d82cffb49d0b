-- Writes new top-ups, each with all of its money free. The journal follows in the same transaction.
--
-- $1 ids, $2 accounts, $3 upstream ids, $4 sequences, $5 channels, $6 entities, $7 trade numbers, $8 our trade numbers,
-- $9 payers, $10 bank accounts, $11 arrivals, $12 channel times, $13 bonus, $14 amounts.
insert into top_up (id, account_id, upstream_id, sequence, channel, contract_entity, trade_no, out_trade_no, payer_name,
                    bank_account_id, arrived_at, channel_paid_at, bonus, original, remaining, open)
select id, account_id, upstream_id, sequence, channel, contract_entity, trade_no, out_trade_no, payer_name,
       bank_account_id, arrived_at, channel_paid_at, bonus, amount, amount, true
  from unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
              $10::uuid[], $11::timestamptz[], $12::timestamptz[], $13::boolean[], $14::bigint[])
       as it (id, account_id, upstream_id, sequence, channel, contract_entity, trade_no, out_trade_no, payer_name,
              bank_account_id, arrived_at, channel_paid_at, bonus, amount)
