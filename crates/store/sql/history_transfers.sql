-- Every movement of money between buckets that the legs of a withdrawal caused.
--
-- $1 the withdrawal. Goes through the top-ups, because the journal is indexed by them.
select leg.id as leg_id, leg.top_up_upstream_id, transfer.from_bucket, transfer.to_bucket,
       transfer.amount, transfer.cause, transfer.at
  from leg
  join transfer on transfer.top_up_id = leg.top_up_id
               and transfer.cause_id = leg.id::text
 where leg.withdrawal_id = $1
 order by transfer.id
