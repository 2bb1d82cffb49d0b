-- Top-ups by the upstream's numbers.
--
-- $1 accounts, $2 upstream ids: one element per top-up.
select top_up.*
  from unnest($1::text[], $2::text[]) as it (account_id, upstream_id)
  join top_up on top_up.account_id = it.account_id and top_up.upstream_id = it.upstream_id
