-- Keeps differences. One that had resolved itself is open again; one that a person resolved stays so.
--
-- $1 the rail, $2 the day, $3 ids, $4 kinds, $5 subjects, $6 legs, $7 our amounts, $8 theirs, $9 details; $10 the moment.
insert into statement_difference (id, rail, day, kind, subject, leg_id, ours, theirs, detail, found_at)
select id, $1, $2, kind, subject, leg_id, ours, theirs, detail, $10
  from unnest($3::uuid[], $4::text[], $5::text[], $6::uuid[], $7::bigint[], $8::bigint[], $9::text[])
       as it (id, kind, subject, leg_id, ours, theirs, detail)
    on conflict (rail, day, kind, subject) do update
   set resolved_at = null, resolved_by = null, resolution = null, detail = excluded.detail,
       ours = excluded.ours, theirs = excluded.theirs
 where statement_difference.resolved_by = 'reconciliation'
