-- Keeps what people say became of legs in manual review; one that is known already is left as it was.
--
-- $1 ids, $2 sources, $3 event ids, $4 legs, $5 withdrawals, $6 reviews, $7 claims, $8 evidence, $9 people, $10 results;
-- $11 the moment.
insert into resolution (id, source, event_id, leg_id, withdrawal_id, review, claim, evidence, actor, result, made_at)
select id, source, event_id, leg_id, withdrawal_id, review, claim, evidence, actor, result, $11
  from unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::uuid[], $6::integer[], $7::text[], $8::text[], $9::text[],
              $10::text[])
       as it (id, source, event_id, leg_id, withdrawal_id, review, claim, evidence, actor, result)
    on conflict (source, event_id) do nothing
