-- Keeps notices of gateways. One that is known already is left as it is.
--
-- $1 ids, $2 rails, $3 the channels' own ids, $4 payout numbers, $5 legs or null, $6 amounts, $7 claims, $8 verdicts,
-- $9 when it happened or null; $10 the moment.
-- Returns the ids that were new. Rows are written in the order of their ids in the channel, so that two
-- deliveries of the same notices wait for each other in one order.
insert into notice (id, rail, notice_id, payout_no, leg_id, amount, claim, verdict, happened_at, received_at)
select id, rail, notice_id, payout_no, leg_id, amount, claim, verdict, happened_at, $10
  from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::uuid[], $6::bigint[], $7::text[], $8::text[], $9::timestamptz[])
       as it (id, rail, notice_id, payout_no, leg_id, amount, claim, verdict, happened_at)
 order by rail, notice_id
on conflict (rail, notice_id) do nothing
returning id
