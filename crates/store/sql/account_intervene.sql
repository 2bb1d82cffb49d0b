-- Sets the last known fact of an account and why it is stopped, after people intervened. The caller holds its lock.
--
-- $1 account, $2 version, $3 why it is stopped, or null; $4 the moment.
update account set fact_version = $2, stopped_because = $3, changed_at = $4 where id = $1
