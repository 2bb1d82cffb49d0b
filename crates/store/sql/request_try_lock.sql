-- Whether the request is ours to decide until the end of the transaction, or somebody else's at this moment. Does not wait.
--
-- $1 source, $2 id.
select pg_try_advisory_xact_lock(hashtextextended($1 || chr(10) || $2, 6))
