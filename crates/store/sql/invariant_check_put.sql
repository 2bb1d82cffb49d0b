-- Keeps what every invariant came to. One that is broken stays broken since it was first seen to be.
--
-- $1 invariants, $2 how many violations, $3 the first of them or null; $4 the moment.
insert into invariant_check (invariant, violations, example, checked_at, broken_since)
select invariant, violations, example, $4::timestamptz, case when violations > 0 then $4::timestamptz end
  from unnest($1::text[], $2::integer[], $3::text[]) as it (invariant, violations, example)
    on conflict (invariant) do update
   set violations = excluded.violations, example = excluded.example, checked_at = excluded.checked_at,
       broken_since = case when excluded.violations > 0
                           then coalesce(invariant_check.broken_since, excluded.broken_since) end
