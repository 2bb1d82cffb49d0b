-- Top-ups by their numbers.
--
-- $1 ids.
select * from top_up where id = any($1)
