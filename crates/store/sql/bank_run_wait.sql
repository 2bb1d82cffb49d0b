-- Lets a run wait for people. The first reason stands.
--
-- $1 the run, $2 why, $3 the moment.
update bank_run
   set waits_because = $2, waits_since = $3
 where id = $1
   and waits_because is null
