-- What is known of messages that came before.
--
-- $1 sources, $2 event ids.
select instruction.*
  from unnest($1::text[], $2::text[]) as message (source, event_id)
  join instruction using (source, event_id)
