-- Writes the circuit of a rail. No row: it changed since it was read; read it and decide again.
--
-- $1 the rail, $2 the version that was read, $3 the state, $4 failures in a row, $5 since when calls are counted, $6 calls, $7 failures
-- among them, $8 the cause, $9 since when it is not closed, $10 the next try, $11 the leg that tries, $12 rests in a row, $13 until when
-- its pace is spoken for; $14 the moment.
update circuit
   set version = version + 1, state = $3, failures = $4, tally_since = $5, tally_calls = $6, tally_failures = $7, cause = $8,
       opened_at = $9, probe_at = $10, probe_leg_id = $11, rests = $12, paced_until = $13, changed_at = $14
 where rail = $1
   and version = $2
