-- Every decision on a withdrawal, oldest first.
--
-- $1 the withdrawal.
select * from decision where withdrawal_id = $1 order by id
