-- When the first leg of a rail was paid.
--
-- $1 the rail.
select min(paid_at) from leg where rail = $1 and paid_at is not null
