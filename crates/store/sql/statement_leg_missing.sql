-- Legs that were paid within a time and that no statement has named yet.
--
-- $1 the rail, $2 from, $3 until, $4 the numbers that the statement names.
select id, payout_no, amount
  from leg
 where rail = $1
   and state = 'paid'
   and paid_at >= $2
   and paid_at < $3
   and payout_no <> all($4)
 order by id
