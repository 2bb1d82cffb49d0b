-- Writes messages into the outbox, in the order of the arrays.
--
-- $1 shards, $2 keys, $3 exchanges, $4 routing keys, $5 content types, $6 headers, $7 bodies; $8 the moment.
insert into outbox (shard, key, exchange, routing_key, content_type, headers, body, created_at)
select shard, key, exchange, routing_key, content_type, headers, body, $8
  from unnest($1::smallint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::jsonb[], $7::bytea[])
       with ordinality as message (shard, key, exchange, routing_key, content_type, headers, body, place)
 order by place
