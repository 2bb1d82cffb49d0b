-- Bank accounts by their ids.
--
-- $1 ids.
select * from bank_account where id = any($1)
