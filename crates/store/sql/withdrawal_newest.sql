-- The newest withdrawals.
--
-- $1 a state, or null for all; $2 how many at most.
select * from withdrawal where $1::text is null or state = $1 order by id desc limit $2
