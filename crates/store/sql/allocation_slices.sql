-- What top-ups give to allocations, in the order in which it was taken.
--
-- $1 accounts, $2 allocations: one element per allocation.
select slice.*
  from unnest($1::text[], $2::text[]) as it (account_id, allocation_id)
  join allocation_slice slice on slice.account_id = it.account_id and slice.allocation_id = it.allocation_id
 order by slice.account_id, slice.allocation_id, slice.position
