-- Takes every shard of the outbox that no other relay has, until the end of the transaction.
--
-- $1 the number of shards. The first number of the lock only keeps it apart from other locks.
select shard::smallint
  from generate_series(0, $1::integer - 1) as shard
 where pg_try_advisory_xact_lock(20190826, shard)
