-- Notes what settle made of notices; the caller holds the locks of their legs.
--
-- $1 ids, $2 effects; $3 the moment. Fewer rows than elements: another pass was faster, and did the same.
update notice
   set effect = it.effect, applied_at = $3
  from unnest($1::uuid[], $2::text[]) as it (id, effect)
 where notice.id = it.id
   and notice.applied_at is null
