-- Locks accounts in the order of their ids: the first lock of every transaction that moves money.
--
-- $1 ids. Unknown ids are left out.
select * from account where id = any($1) order by id for update
