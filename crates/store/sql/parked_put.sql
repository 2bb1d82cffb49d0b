-- Parks messages that no worker can use. A redelivery of one that is parked already is not parked again.
--
-- $1 ids, $2 queues, $3 message ids or null, $4 digests, $5 bodies, $6 headers, $7 problems, $8 redelivered; $9 the moment.
-- Returns the ids that were new.
insert into parked_message (id, queue, message_id, digest, body, headers, problem, parked_at)
select id, queue, message_id, digest, body, headers, problem, $9
  from unnest($1::uuid[], $2::text[], $3::text[], $4::bytea[], $5::bytea[], $6::jsonb[], $7::jsonb[], $8::boolean[])
       as message (id, queue, message_id, digest, body, headers, problem, redelivered)
 where not (redelivered and exists (
           select 1
             from parked_message known
            where known.queue = message.queue
              and known.digest = message.digest
              and known.message_id is not distinct from message.message_id))
returning id
