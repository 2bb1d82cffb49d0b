-- Keeps which effects were approved.
--
-- $1 withdrawals, $2 effects, $3 who completed each approval; $4 the moment.
insert into approval (withdrawal_id, effect_digest, approved_by, approved_at)
select withdrawal_id, effect_digest, approved_by, $4
  from unnest($1::uuid[], $2::bytea[], $3::text[]) as it (withdrawal_id, effect_digest, approved_by)
