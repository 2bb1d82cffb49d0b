-- Sets what facts know of accounts; the caller holds their locks. Their money is moved by the journal.
--
-- $1 accounts, $2 outstanding invoices, $3 unbilled, $4 fact versions, $5 why withdrawals stop, or null; $6 the moment.
update account
   set outstanding_invoice = it.outstanding_invoice,
       unbilled            = it.unbilled,
       fact_version        = it.fact_version,
       stopped_because     = it.stopped_because,
       changed_at          = $6
  from unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[])
       as it (id, outstanding_invoice, unbilled, fact_version, stopped_because)
 where account.id = it.id
