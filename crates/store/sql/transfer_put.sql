-- Writes the journal: one row per movement between two buckets of one top-up.
--
-- $1 accounts, $2 top-ups, $3 from, $4 to, $5 amounts, $6 causes, $7 cause ids; $8 the moment.
insert into transfer (account_id, top_up_id, from_bucket, to_bucket, amount, cause, cause_id, at)
select account_id, top_up_id, from_bucket, to_bucket, amount, cause, cause_id, $8
  from unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[])
       as movement (account_id, top_up_id, from_bucket, to_bucket, amount, cause, cause_id)
