-- What the bank legs that are due and stand in no file that may still be sent add up to.
--
-- $1 the moment.
select coalesce(sum(leg.amount), 0)::bigint
  from leg
 where leg.state = 'scheduled'
   and leg.rail = 'bank'
   and leg.dispatch_at <= $1
   and not exists (
           select 1
             from bank_transfer
             join bank_file as file on file.id = bank_transfer.file_id
            where bank_transfer.leg_id = leg.id
              and file.state in ('written', 'unsent'))
