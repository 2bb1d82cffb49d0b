-- Allocations by their numbers.
--
-- $1 accounts, $2 ids: one element per allocation.
select allocation.*
  from unnest($1::text[], $2::text[]) as it (account_id, id)
  join allocation on allocation.account_id = it.account_id and allocation.id = it.id
