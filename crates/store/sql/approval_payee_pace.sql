-- How often and how much the receiving bank accounts of withdrawals were given within a window, each withdrawal itself
-- included, whoever gave it. Of several receivers of one withdrawal the busiest counts.
--
-- $1 withdrawals, whose payees the caller has locked; $2 the window in seconds; $3 the moment.
with payee as (
    select distinct leg.withdrawal_id, bank_account.number_digest
      from leg
      join bank_account on bank_account.id = leg.bank_account_id
     where leg.withdrawal_id = any($1)
),
given as (
    select payee.withdrawal_id, payee.number_digest, other.id, sum(leg.amount) as amount
      from payee
      join withdrawal as mine on mine.id = payee.withdrawal_id
      join bank_account on bank_account.number_digest = payee.number_digest
      join leg on leg.bank_account_id = bank_account.id
              and leg.state not in ('rerouting', 'released', 'canceled')
      join withdrawal as other on other.id = leg.withdrawal_id
     where other.id = mine.id
        or (coalesce(other.approved_at, other.received_at) > $3::timestamptz - $2::bigint * interval '1 second'
            and other.state not in ('rejected', 'denied', 'expired', 'canceled', 'failed')
            and (other.approved_at is not null or (other.received_at, other.id) < (mine.received_at, mine.id)))
     group by payee.withdrawal_id, payee.number_digest, other.id
),
pace as (
    select withdrawal_id, number_digest, count(*) as withdrawals, sum(amount)::bigint as amount
      from given
     group by withdrawal_id, number_digest
)
select withdrawal_id as id, max(withdrawals) as withdrawals, max(amount) as amount
  from pace
 group by withdrawal_id
