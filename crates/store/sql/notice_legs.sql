-- The legs behind payout numbers. Nothing of what is read here ever changes, so nothing is locked.
--
-- $1 payout numbers. A missing number is none of ours.
select id, payout_no, rail, amount from leg where payout_no = any($1)
