-- Adds a row to the end of the chain. The caller holds the lock of the chain.
--
-- $1 the moment, $2 actor, $3 role, $4 action, $5 subject, $6 detail. Returns its place and its digest.
with head as (
    select sequence, digest from audit_entry order by sequence desc limit 1
),
entry as (
    select row(coalesce(head.sequence, 0) + 1, $1::timestamptz, $2::text, $3::text, $4::text, $5::text, $6::jsonb,
               coalesce(head.digest, ''::bytea), ''::bytea)::audit_entry as it
      from (select 1) as always
      left join head on true
)
insert into audit_entry (sequence, at, actor, role, action, subject, detail, previous, digest)
select (it).sequence, (it).at, (it).actor, (it).role, (it).action, (it).subject, (it).detail, (it).previous, audit_digest(it)
  from entry
returning sequence, digest
