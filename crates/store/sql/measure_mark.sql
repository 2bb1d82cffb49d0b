-- Up to where moves and calls are numbered now, and which transactions were under way then.
--
-- No binds, no locks.
select coalesce((select max(id) from transition), 0)               as moves,
       coalesce((select max(position) from attempt_outcome), 0)    as calls,
       pg_snapshot_xmax(pg_current_snapshot())::text::bigint       as next_transaction,
       pg_snapshot_xmin(pg_current_snapshot())::text::bigint       as oldest_running
