-- The first waiting fact of each account, if it has waited too long and was not reported.
--
-- $1 waits since before, $2 how many at most. The known version is 0 where the account does not exist yet.
select first_in_line.*, coalesce(account.fact_version, 0) as known_version
  from (select distinct on (account_id) * from fact where body is not null order by account_id, version) as first_in_line
  left join account on account.id = first_in_line.account_id
 where first_in_line.reported_at is null
   and first_in_line.received_at < $1
   and first_in_line.version > coalesce(account.fact_version, 0) + 1
 order by first_in_line.received_at
 limit $2
