-- One leg as it is now.
--
-- $1 the leg.
select * from leg where id = $1
