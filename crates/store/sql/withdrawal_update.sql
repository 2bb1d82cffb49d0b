-- Writes changed withdrawals; the caller holds their locks and decided on the rows it locked.
--
-- $1 ids, $2 states, $3 held_from, $4 sequences, $5 payees, $6 reasons, $7 effect digests, $8 approved_at, $9 deadline_at,
-- $10 deadline_provisional, $11 expires_at, $13 held_because; $12 the moment. Fewer rows than elements: roll back.
update withdrawal
   set state = it.state, held_from = it.held_from, sequence = it.sequence, bank_account_id = it.bank_account_id,
       reasons = it.reasons, effect_digest = it.effect_digest, approved_at = it.approved_at, deadline_at = it.deadline_at,
       deadline_provisional = it.deadline_provisional, expires_at = it.expires_at,
       held_because = it.held_because, changed_at = $12
  from unnest($1::uuid[], $2::text[], $3::text[], $4::integer[], $5::uuid[], $6::jsonb[], $7::bytea[], $8::timestamptz[],
              $9::timestamptz[], $10::boolean[], $11::timestamptz[], $13::text[])
       as it (id, state, held_from, sequence, bank_account_id, reasons, effect_digest, approved_at, deadline_at,
              deadline_provisional, expires_at, held_because)
 where withdrawal.id = it.id
   and (withdrawal.sequence < it.sequence or (withdrawal.sequence = it.sequence and withdrawal.state = it.state))
