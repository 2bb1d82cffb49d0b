-- Keeps what gateways said about legs that had ended differently.
--
-- $1 ids, $2 legs, $3 withdrawals, $4 the legs' states, $5 claims, $6 who told, $7 details; $8 the moment.
-- What is known of a leg already is not written again.
insert into late_effect (id, leg_id, withdrawal_id, state, claim, told_by, detail, found_at)
select id, leg_id, withdrawal_id, state, claim, told_by, detail, $8
  from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[])
       as it (id, leg_id, withdrawal_id, state, claim, told_by, detail)
 where not exists (select 1
                     from late_effect as known
                    where known.leg_id = it.leg_id and known.claim = it.claim and known.told_by = it.told_by)
