-- Locks the names of accounts that do not exist yet until the end of the transaction, in one order for all.
--
-- $1 account ids. The first number only keeps these locks apart from others.
select pg_advisory_xact_lock(20190827, name)
  from (select distinct hashtext(it.id) as name
          from unnest($1::text[]) as it (id)
         where not exists (select 1 from account where account.id = it.id)
         order by name) as newcomer
