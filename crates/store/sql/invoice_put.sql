-- Writes invoices, new and known.
--
-- $1 accounts, $2 ids, $3 issued, $4 returned, $5 paid; $6 the moment.
insert into invoice (account_id, id, issued, returned, paid, changed_at)
select account_id, id, issued, returned, paid, $6
  from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[]) as it (account_id, id, issued, returned, paid)
    on conflict (account_id, id) do update
   set issued     = excluded.issued,
       returned   = excluded.returned,
       paid       = excluded.paid,
       changed_at = excluded.changed_at
