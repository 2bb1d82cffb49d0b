-- Those of the given requests that are known.
--
-- $1 sources, $2 request ids.
select withdrawal.*
  from unnest($1::text[], $2::text[]) as request (source, request_id)
  join withdrawal using (source, request_id)
