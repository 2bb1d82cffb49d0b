-- When this very question reached the server, by the server's own clock: to be
-- compared with ours. Nothing is decided by it.
--
-- No binds, no locks.
select query_start from pg_stat_activity where pid = pg_backend_pid()
