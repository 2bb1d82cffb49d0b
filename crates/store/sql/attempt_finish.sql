-- Writes what calls brought; a second outcome of the same call is ignored.
--
-- $1 attempts, $2 outcomes, $3 codes, $4 details, $5 references; $6 the moment.
insert into attempt_outcome (attempt_id, outcome, code, detail, reference, finished_at)
select attempt_id, outcome, code, detail, reference, $6
  from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[]) as it (attempt_id, outcome, code, detail, reference)
    on conflict (attempt_id) do nothing
