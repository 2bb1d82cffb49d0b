-- Invoices by their numbers.
--
-- $1 accounts, $2 ids: one element per invoice.
select invoice.*
  from unnest($1::text[], $2::text[]) as it (account_id, id)
  join invoice on invoice.account_id = it.account_id and invoice.id = it.id
