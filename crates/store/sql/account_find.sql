-- One account as it is now.
--
-- $1 the id.
select * from account where id = $1
