-- Locks the legs that still wait to be dispatched; what another worker has locked is left to it.
--
-- $1 ids, $2 the moment. A missing id is not due, was dispatched already, or is in another worker's hands.
select *
  from leg
 where id = any($1)
   and state = 'scheduled'
   and dispatch_at <= $2
 order by id
   for update skip locked
