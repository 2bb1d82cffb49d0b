-- Marks messages that the broker has confirmed, and erases the bodies of those that nobody may read afterwards.
--
-- $1 ids, $2 the moment, $3 the routing keys whose bodies are erased.
update outbox
   set published_at = $2,
       body = case when routing_key = any($3) then ''::bytea else body end
 where id = any($1)
