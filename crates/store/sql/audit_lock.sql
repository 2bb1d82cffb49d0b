-- Waits until nobody else writes the chain. Held until the transaction ends; taken last of all locks.
select pg_advisory_xact_lock(hashtext('outflow.audit'))
