-- The oldest file that may be sent again: nobody has told what became of it, one of its legs is due, and none is in doubt or
-- still to be waited for.
--
-- $1 the moment.
select file.*
  from bank_file as file
 where file.state in ('written', 'unsent')
   and exists (
           select 1
             from bank_transfer
             join leg on leg.id = bank_transfer.leg_id
            where bank_transfer.file_id = file.id
              and leg.state = 'scheduled'
              and leg.dispatch_at <= $1)
   and not exists (
           select 1
             from bank_transfer
             join leg on leg.id = bank_transfer.leg_id
            where bank_transfer.file_id = file.id
              and (leg.state in ('dispatching', 'unknown') or leg.state = 'scheduled' and leg.dispatch_at > $1))
 order by file.id
 limit 1
