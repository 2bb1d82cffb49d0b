-- The accounts of withdrawals.
--
-- $1 ids.
select distinct account_id from withdrawal where id = any($1) order by account_id
