-- Keeps that requests came again.
--
-- $1 ids, $2 withdrawals, $3 verdicts, $4 digests, $5 the names of the fields that differ; $6 the moment.
insert into repeat_request (id, withdrawal_id, verdict, digest, differing, received_at)
select id, withdrawal_id, verdict, digest, differing, $6
  from unnest($1::uuid[], $2::uuid[], $3::text[], $4::bytea[], $5::jsonb[])
       as it (id, withdrawal_id, verdict, digest, differing)
