-- Writes changed legs; the caller holds their locks and decided on the rows it locked.
--
-- $1 ids, $2 states, $3 sequences, $4 dispatch_at, $5 nudged_at, $6 deadline_at, $7 deadline_provisional, $8 lease_until,
-- $9 attempts, $10 queries, $11 check_at, $12 doubted_at, $13 references, $14 codes, $15 details, $16 paid_at, $18 asked, $19 execute_on,
-- $20 payees, $21 ends of the payees' numbers; $17 the moment.
-- Fewer rows than elements: a row is missing or is further than the caller knows, roll back.
update leg
   set state = it.state, sequence = it.sequence, dispatch_at = it.dispatch_at, nudged_at = it.nudged_at,
       deadline_at = it.deadline_at, deadline_provisional = it.deadline_provisional, lease_until = it.lease_until,
       attempts = it.attempts, queries = it.queries, check_at = it.check_at, doubted_at = it.doubted_at,
       reference = it.reference, code = it.code, detail = it.detail, paid_at = it.paid_at, asked = it.asked, execute_on = it.execute_on,
       bank_account_id = it.bank_account_id, payee_last_four = it.payee_last_four, changed_at = $17
  from unnest($1::uuid[], $2::text[], $3::integer[], $4::timestamptz[], $5::timestamptz[], $6::timestamptz[], $7::boolean[],
              $8::timestamptz[], $9::integer[], $10::integer[], $11::timestamptz[], $12::timestamptz[], $13::text[],
              $14::text[], $15::text[], $16::timestamptz[], $18::integer[], $19::date[], $20::uuid[], $21::text[])
       as it (id, state, sequence, dispatch_at, nudged_at, deadline_at, deadline_provisional, lease_until, attempts, queries,
              check_at, doubted_at, reference, code, detail, paid_at, asked, execute_on, bank_account_id, payee_last_four)
 where leg.id = it.id
   and (leg.sequence < it.sequence or (leg.sequence = it.sequence and leg.state = it.state))
