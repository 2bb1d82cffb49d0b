-- Marks that the payout queues of legs were told.
--
-- $1 ids, $2 the moment. A missing id was dispatched or stopped meanwhile.
update leg set nudged_at = $2 where id = any($1) and state = 'scheduled' returning id
