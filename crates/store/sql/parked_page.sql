-- Parked messages, the newest first.
--
-- $1 whether those that were dealt with are wanted; $2 a queue, or null; $3 the code of a problem, or null;
-- $4 only those before this number, or null; $5 how many at most.
select id, queue, message_id, digest, body, headers, problem, parked_at, resolved_at, resolution, resolved_by, reason, replacement, diff
  from parked_message
 where (resolved_at is not null) = $1
   and ($2::text is null or queue = $2)
   and ($3::text is null or problem ->> 'code' = $3)
   and ($4::uuid is null or id < $4)
 order by id desc
 limit $5
