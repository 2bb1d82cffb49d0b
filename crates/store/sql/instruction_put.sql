-- Keeps messages and what came of them; one that is known already is left as it was.
--
-- $1 sources, $2 event ids, $3 types, $4 withdrawals, $5 forms, $6 actors, $7 results; $8 the moment. Fewer rows than
-- elements: another worker took one of them in at this moment, roll back.
insert into instruction (source, event_id, type, withdrawal_id, form, actor, result, received_at)
select source, event_id, type, withdrawal_id, form, actor, result, $8
  from unnest($1::text[], $2::text[], $3::text[], $4::uuid[], $5::jsonb[], $6::text[], $7::text[])
       as it (source, event_id, type, withdrawal_id, form, actor, result)
    on conflict (source, event_id) do nothing
