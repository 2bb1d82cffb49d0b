-- Locks one parked message.
--
-- $1 its number.
select id, queue, message_id, digest, body, headers, problem, parked_at, resolved_at, resolution, resolved_by, reason, replacement, diff
  from parked_message
 where id = $1
   for update
