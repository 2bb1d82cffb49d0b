-- Bank legs that are due and stand in no file that may still be sent, with the last file that had them.
--
-- $1 the moment, $2 how many at most.
select leg.id, leg.amount, leg.code, last.state as file_state, last.execute_on, last.bank_day, last.cut_off
  from leg
  left join lateral (
           select file.state, file.execute_on, run.bank_day, run.cut_off
             from bank_transfer
             join bank_file as file on file.id = bank_transfer.file_id
             join bank_run as run on run.id = file.run_id
            where bank_transfer.leg_id = leg.id
            order by file.id desc
            limit 1) as last on true
 where leg.state = 'scheduled'
   and leg.rail = 'bank'
   and leg.dispatch_at <= $1
   and (last.state is null or last.state in ('answered', 'void'))
 order by leg.dispatch_at, leg.id
 limit $2
