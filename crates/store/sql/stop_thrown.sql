-- Whether sends are stopped.
--
-- $1 the rail.
select exists (select 1 from stop where name in ('all', $1))
