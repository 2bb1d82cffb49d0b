-- Every leg of a withdrawal, newest slice first.
--
-- $1 the withdrawal.
select * from leg where withdrawal_id = $1 order by position, generation
