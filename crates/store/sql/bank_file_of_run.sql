-- The files of a run.
--
-- $1 the run.
select * from bank_file where run_id = $1 order by number
