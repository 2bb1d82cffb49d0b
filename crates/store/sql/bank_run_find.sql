-- The run of a cut-off, locked.
--
-- $1 the working day, $2 the time of day.
select *
  from bank_run
 where rail = 'bank'
   and bank_day = $1
   and cut_off = $2
   for update
