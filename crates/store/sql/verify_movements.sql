-- Fills in the gateways' own books.
--
-- $1 payout numbers, $2 amounts in minor units, $3 kinds.
with given as (
    insert into evidence_given (what) values ('movements')
)
insert into evidence_movement (payout_no, amount, kind)
select payout_no, amount, kind from unnest($1::text[], $2::bigint[], $3::text[]) as it (payout_no, amount, kind)
