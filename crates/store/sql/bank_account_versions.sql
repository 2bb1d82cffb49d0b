-- Every version of the bank details of withdrawals (R11), oldest first.
--
-- $1 withdrawals. Where it decides, the caller holds their locks, so that no version appears meanwhile.
select * from bank_account where withdrawal_id = any($1) order by withdrawal_id, version
