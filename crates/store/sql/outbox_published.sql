-- Marks messages that the broker has confirmed.
--
-- $1 ids, $2 the moment.
update outbox set published_at = $2 where id = any($1)
