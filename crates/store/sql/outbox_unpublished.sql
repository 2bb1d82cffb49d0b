-- The oldest unpublished messages of each shard, in order.
--
-- $1 shards, $2 how many of each at most. By the flag and not by `id > last`, because ids become visible
-- in the order of commits and not of numbers.
select message.id, key, exchange, routing_key, content_type, headers, body
  from unnest($1::smallint[]) as claimed (shard)
 cross join lateral (
       select *
         from outbox
        where outbox.shard = claimed.shard
          and published_at is null
        order by id
        limit $2
       ) as message
 order by message.id
