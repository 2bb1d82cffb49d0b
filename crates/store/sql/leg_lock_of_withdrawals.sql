-- Every leg of the withdrawals, locked.
--
-- $1 withdrawals. The caller holds the locks of the accounts and of the withdrawals.
select * from leg where withdrawal_id = any($1) order by id for update
