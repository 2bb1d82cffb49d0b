-- Moves amounts between the buckets of top-ups.
--
-- $1 top-ups, then what is added to each bucket: $2 remaining, $3 allocated, $4 consumed, $5 held, $6 paid out.
-- The caller holds the locks of the accounts. Fewer rows than elements: a top-up is missing, roll back.
-- `open` is assigned its old value unless the slice is emptied or refilled, so that the update stays HOT.
update top_up
   set remaining = top_up.remaining + delta.remaining,
       allocated = top_up.allocated + delta.allocated,
       consumed  = top_up.consumed + delta.consumed,
       held      = top_up.held + delta.held,
       paid_out  = top_up.paid_out + delta.paid_out,
       open      = top_up.remaining + delta.remaining > 0
  from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[])
       as delta (id, remaining, allocated, consumed, held, paid_out)
 where top_up.id = delta.id
