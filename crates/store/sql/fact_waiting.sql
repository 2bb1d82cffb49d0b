-- Waiting facts of accounts, from a version on, in order.
--
-- $1 accounts, $2 first versions, $3 how many at most per account.
select fact.*
  from unnest($1::text[], $2::bigint[]) as it (account_id, version)
 cross join lateral (
       select *
         from fact
        where fact.account_id = it.account_id
          and fact.version >= it.version
          and fact.body is not null
        order by fact.version
        limit $3) as fact
 order by fact.account_id, fact.version
