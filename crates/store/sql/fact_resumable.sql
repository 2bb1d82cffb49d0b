-- The accounts whose next fact is there and waits.
--
-- $1 how many at most.
select account.id
  from fact
  join account on account.id = fact.account_id and account.fact_version + 1 = fact.version
 where fact.body is not null
 order by account.id
 limit $1
