-- Marks that the payout queues of legs were told.
--
-- $1 ids, $2 the moment.
update leg set nudged_at = $2 where id = any($1) and state = 'scheduled'
