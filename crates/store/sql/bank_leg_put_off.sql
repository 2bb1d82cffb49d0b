-- The legs of an answered file that wait to go again: the bank put them off.
--
-- $1 the file.
select leg.id, leg.amount, leg.code, file.state as file_state, file.execute_on, run.bank_day, run.cut_off
  from bank_transfer
  join leg on leg.id = bank_transfer.leg_id
  join bank_file as file on file.id = bank_transfer.file_id
  join bank_run as run on run.id = file.run_id
 where file.id = $1
   and file.state = 'answered'
   and leg.state = 'scheduled'
 order by bank_transfer.place
