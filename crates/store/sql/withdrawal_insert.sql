-- Writes new withdrawals.
--
-- $1 ids, $2 sources, $3 request ids, $4 accounts, $5 digests, $6 amounts, $7 currencies, $8 routes, $9 requesters, $10 payees,
-- $11 states, $12 sequences, $13 reasons, $14 terms, $15 effect digests, $16 trace contexts, $17 requested_at, $18 expires_at;
-- $19 requests; $20 the moment. A request that exists already is a unique violation: the caller's batch must be decided again.
insert into withdrawal (id, source, request_id, account_id, digest, amount, currency, route, requester, bank_account_id, state,
                        sequence, reasons, terms, effect_digest, traceparent, requested_at, received_at, expires_at, changed_at,
                        request)
select id, source, request_id, account_id, digest, amount, currency, route, requester, bank_account_id, state,
       sequence, reasons, terms, effect_digest, traceparent, requested_at, $20, expires_at, $20,
       request
  from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::bigint[], $7::text[], $8::text[], $9::text[],
              $10::uuid[], $11::text[], $12::integer[], $13::jsonb[], $14::jsonb[], $15::bytea[], $16::text[],
              $17::timestamptz[], $18::timestamptz[], $19::jsonb[])
       as it (id, source, request_id, account_id, digest, amount, currency, route, requester, bank_account_id, state,
              sequence, reasons, terms, effect_digest, traceparent, requested_at, expires_at, request)
