-- What gateways said too late about the legs of a withdrawal, oldest first.
--
-- $1 the withdrawal.
select * from late_effect where withdrawal_id = $1 order by id
