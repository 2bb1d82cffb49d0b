-- Keeps a new file of a run, after those that it has.
--
-- $1 id, $2 the run, $3 MsgId, $4 the day of its execution, $5 transfers, $6 their sum, $7 the sealed bytes, $8 their digest; $9 the moment.
-- The caller made sure to be alone.
insert into bank_file (id, run_id, number, msg_id, execute_on, transfers, total, message, digest, state, written_at, changed_at)
select $1, $2, coalesce(max(number), 0) + 1, $3, $4, $5, $6, $7, $8, 'written', $9, $9
  from bank_file
 where run_id = $2
