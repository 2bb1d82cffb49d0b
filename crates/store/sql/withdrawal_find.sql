-- One withdrawal as it is now.
--
-- $1 the id.
select * from withdrawal where id = $1
