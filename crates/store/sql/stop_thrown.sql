-- Whether sends are stopped.
--
-- $1 the rail.
select exists (select 1 from stop where lifted_at is null and name in ('all', $1))
