-- Writes the rows of calls that may begin once the transaction is committed.
--
-- $1 ids, $2 legs, $3 payout numbers, $4 numbers, $5 kinds; $6 the moment.
insert into attempt (id, leg_id, payout_no, number, kind, started_at)
select id, leg_id, payout_no, number, kind, $6
  from unnest($1::uuid[], $2::uuid[], $3::text[], $4::integer[], $5::text[]) as it (id, leg_id, payout_no, number, kind)
