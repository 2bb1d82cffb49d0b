-- The first waiting fact of an account, how many wait, and whether people were told of it.
--
-- $1 account.
select version, received_at, reported_at, (select count(*) from fact where account_id = $1 and body is not null) as waiting
  from fact
 where account_id = $1
   and body is not null
 order by version
 limit 1
