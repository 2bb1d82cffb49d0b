-- Locks the receiving bank accounts of withdrawals by their number, whichever row holds it, until the transaction ends.
--
-- $1 withdrawals. In one order for all, and after the accounts and their withdrawals. The count is of no use.
select count(pg_advisory_xact_lock(key))
  from (select distinct hashtextextended(encode(bank_account.number_digest, 'hex'), 20190826) as key
          from leg
          join bank_account on bank_account.id = leg.bank_account_id
         where leg.withdrawal_id = any($1)
         order by key) as payee
