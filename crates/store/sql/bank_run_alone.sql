-- Waits until no other worker makes up a bank run, until the end of the transaction. Taken before every other lock.
--
-- The first number only keeps the lock apart from others.
select pg_advisory_xact_lock(20190827, 0)
