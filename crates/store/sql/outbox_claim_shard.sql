-- Takes a shard of the outbox until the end of the transaction. False: another relay has it.
--
-- $1 the shard. The first number only keeps these locks apart from others.
select pg_try_advisory_xact_lock(20190826, $1::integer)
