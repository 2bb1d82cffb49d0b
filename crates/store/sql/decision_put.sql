-- Writes decisions; one that is known already is left as it was.
--
-- $1 ids, $2 sources, $3 event ids, $4 withdrawals, $5 verdicts, $6 actors, $7 reasons, $8 results; $9 the moment; $10 the
-- effects that they were made on, or null.
insert into decision (id, source, event_id, withdrawal_id, verdict, actor, reason, result, decided_at, effect_digest)
select id, source, event_id, withdrawal_id, verdict, actor, reason, result, $9, effect_digest
  from unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[], $10::bytea[])
       as it (id, source, event_id, withdrawal_id, verdict, actor, reason, result, effect_digest)
    on conflict (source, event_id) do nothing
