-- Ends the claiming into a run, and into every run before it.
--
-- $1 the working day, $2 the time of day, $3 the moment.
update bank_run
   set closed_at = $3
 where rail = 'bank'
   and (bank_day, cut_off) <= ($1, $2)
   and closed_at is null
