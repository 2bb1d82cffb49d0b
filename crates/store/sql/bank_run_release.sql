-- A person lets a run go that waits. No row: it does not wait, or its time is over.
--
-- $1 the run, $2 who, $3 why, $4 the moment.
update bank_run
   set released_by = $2, release_reason = $3, released_at = $4
 where id = $1
   and waits_because is not null
   and released_at is null
   and closed_at is null
