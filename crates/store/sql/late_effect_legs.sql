-- Those of the legs whose gateway said later that it paid them after all.
--
-- $1 legs, whose withdrawals the caller has locked.
select distinct leg_id from late_effect where leg_id = any($1) and claim = 'paid'
