-- The facts that are the given messages, or have their place in the account. Refused facts have no place.
--
-- $1 sources, $2 event ids, $3 accounts, $4 versions: one element per message.
select fact.*
  from unnest($1::text[], $2::text[]) as message (source, event_id)
  join fact on fact.source = message.source and fact.event_id = message.event_id
 union
select fact.*
  from unnest($3::text[], $4::bigint[]) as place (account_id, version)
  join fact on fact.account_id = place.account_id and fact.version = place.version and fact.refused_at is null
