-- What the files of a bank day add up to.
--
-- $1 the day.
select coalesce(sum(file.total), 0)::bigint
  from bank_run as run
  join bank_file as file on file.run_id = run.id
 where run.rail = 'bank'
   and run.bank_day = $1
   and file.state <> 'void'
