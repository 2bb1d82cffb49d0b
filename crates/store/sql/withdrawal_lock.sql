-- Locks withdrawals in the order of their ids; the caller holds the locks of their accounts.
--
-- $1 ids. Unknown ids are left out.
select * from withdrawal where id = any($1) order by id for update
