-- Which of the messages were decided on before.
--
-- $1 sources, $2 event ids.
select source, event_id
  from unnest($1::text[], $2::text[]) as message (source, event_id)
  join decision using (source, event_id)
