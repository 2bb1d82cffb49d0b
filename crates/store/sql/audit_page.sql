-- The newest entries of the audit.
--
-- $1 a subject, or null for all; $2 only those before this place, or null; $3 how many at most.
select sequence, at, actor, role, action, subject, detail, previous, digest
  from audit_entry
 where ($1::text is null or subject = $1)
   and ($2::bigint is null or sequence < $2)
 order by sequence desc
 limit $3
