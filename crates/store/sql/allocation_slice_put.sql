-- Writes what top-ups give to allocations. Of a known share only the amount changes.
--
-- $1 accounts, $2 allocations, $3 positions, $4 top-ups, $5 amounts.
insert into allocation_slice (account_id, allocation_id, position, top_up_id, amount)
select account_id, allocation_id, position, top_up_id, amount
  from unnest($1::text[], $2::text[], $3::integer[], $4::uuid[], $5::bigint[])
       as it (account_id, allocation_id, position, top_up_id, amount)
    on conflict (account_id, allocation_id, position) do update
   set amount = excluded.amount
