-- Marks waiting facts as reported, once.
--
-- $1 sources, $2 event ids, $3 the moment. Returns those that were not reported yet and still wait.
update fact
   set reported_at = $3
  from unnest($1::text[], $2::text[]) as it (source, event_id)
 where fact.source = it.source
   and fact.event_id = it.event_id
   and fact.body is not null
   and fact.reported_at is null
returning fact.source, fact.event_id
