-- The circuit of a rail, locked until the transaction ends.
--
-- $1 the rail. Comes after the locks of accounts, withdrawals and legs.
select * from circuit where rail = $1 for update
