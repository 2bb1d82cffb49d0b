-- Writes allocations, new and known. Member and amount of a known one stay.
--
-- $1 accounts, $2 ids, $3 members, $4 granted, $5 reclaimed, $6 invoiced; $7 the moment.
insert into allocation (account_id, id, member_account_id, granted, reclaimed, invoiced, changed_at)
select account_id, id, member_account_id, granted, reclaimed, invoiced, $7
  from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::boolean[])
       as it (account_id, id, member_account_id, granted, reclaimed, invoiced)
    on conflict (account_id, id) do update
   set reclaimed  = excluded.reclaimed,
       invoiced   = excluded.invoiced,
       changed_at = excluded.changed_at
