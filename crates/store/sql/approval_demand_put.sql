-- Keeps how many people effects need. The first look at an effect stays.
--
-- $1 withdrawals, $2 effects, $3 people, $4 what each rule said; $5 the moment.
insert into approval_demand (withdrawal_id, effect_digest, people, demands, decided_at)
select withdrawal_id, effect_digest, people, demands, $5
  from unnest($1::uuid[], $2::bytea[], $3::integer[], $4::jsonb[])
       as it (withdrawal_id, effect_digest, people, demands)
    on conflict (withdrawal_id, effect_digest) do nothing
