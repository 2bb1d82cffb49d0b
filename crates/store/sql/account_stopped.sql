-- Accounts whose withdrawals are stopped, longest first.
--
-- $1 how many at most.
select id, fact_version, stopped_because, changed_at
  from account
 where stopped_because is not null
 order by changed_at, id
 limit $1
