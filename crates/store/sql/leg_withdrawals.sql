-- The withdrawals to which legs belong.
--
-- $1 legs.
select distinct withdrawal_id from leg where id = any($1)
