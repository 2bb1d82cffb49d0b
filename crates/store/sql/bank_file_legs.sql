-- The legs of a file in their order, and whether each waits to be sent.
--
-- $1 the file.
select leg.id, leg.payout_no, leg.amount, leg.state, leg.code, leg.withdrawal_id
  from bank_transfer
  join leg on leg.id = bank_transfer.leg_id
 where bank_transfer.file_id = $1
 order by bank_transfer.place
