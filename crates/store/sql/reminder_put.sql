-- Keeps that somebody was reminded. Those that were reminded already are not among the rows that come back.
--
-- $1 withdrawals, $2 the ends of their waits; $3 the moment.
insert into reminder (withdrawal_id, expires_at, sent_at)
select withdrawal_id, expires_at, $3
  from unnest($1::uuid[], $2::timestamptz[]) as it (withdrawal_id, expires_at)
    on conflict (withdrawal_id, expires_at) do nothing
returning withdrawal_id
