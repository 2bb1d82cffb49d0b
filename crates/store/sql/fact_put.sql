-- Writes facts, and what became of those that waited. The caller holds the locks of the accounts.
--
-- $1 sources, $2 event ids, $3 accounts, $4 versions, $5 types, $6 digests, $7 sealed bodies or null, $8 received,
-- $9 applied or null, $10 refused or null.
insert into fact (source, event_id, account_id, version, type, digest, body, received_at, applied_at, refused_at)
select source, event_id, account_id, version, type, digest, body, received_at, applied_at, refused_at
  from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::bytea[], $7::bytea[], $8::timestamptz[],
              $9::timestamptz[], $10::timestamptz[])
       as it (source, event_id, account_id, version, type, digest, body, received_at, applied_at, refused_at)
    on conflict (source, event_id) do update
   set body       = excluded.body,
       applied_at = excluded.applied_at,
       refused_at = excluded.refused_at
