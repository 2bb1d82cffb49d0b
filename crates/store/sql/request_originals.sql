-- Requests as they were asked for.
--
-- $1 withdrawals.
select id, request from withdrawal where id = any($1)
