-- Writes alerts of legs. The legs that have one of this kind already are not among the rows that come back.
--
-- $1 the kind, $2 legs, $3 withdrawals, $4 rails, $5 deadlines; $6 the moment.
insert into deadline_alert (leg_id, kind, withdrawal_id, rail, deadline_at, raised_at)
select leg_id, $1, withdrawal_id, rail, deadline_at, $6
  from unnest($2::uuid[], $3::uuid[], $4::text[], $5::timestamptz[])
       as it (leg_id, withdrawal_id, rail, deadline_at)
    on conflict (leg_id, kind) do nothing
returning leg_id
