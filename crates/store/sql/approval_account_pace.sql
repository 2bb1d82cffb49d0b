-- How often and how much the accounts of withdrawals took out within a window, each withdrawal itself included.
--
-- $1 withdrawals, whose accounts the caller has locked; $2 the window in seconds; $3 the moment.
-- What was let go counts, and what came before: so of many at once no more pass than may, whichever is looked at first.
select mine.id, count(*) as withdrawals, sum(other.amount)::bigint as amount
  from withdrawal as mine
  join withdrawal as other on other.account_id = mine.account_id
 where mine.id = any($1)
   and (other.id = mine.id
        or (coalesce(other.approved_at, other.received_at) > $3::timestamptz - $2::bigint * interval '1 second'
            and other.state not in ('rejected', 'denied', 'expired', 'canceled', 'failed')
            and (other.approved_at is not null or (other.received_at, other.id) < (mine.received_at, mine.id))))
 group by mine.id
