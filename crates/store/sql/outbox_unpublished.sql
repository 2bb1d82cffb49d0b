-- The oldest unpublished messages of a shard, in order.
--
-- $1 the shard, $2 how many at most. By the flag and not by `id > last`, because ids become visible
-- in the order of commits and not of numbers.
select id, exchange, routing_key, content_type, headers, body
  from outbox
 where shard = $1
   and published_at is null
 order by id
 limit $2
