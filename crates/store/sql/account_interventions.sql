-- What people did about an account, oldest first.
--
-- $1 account.
select action, version, stopped, reason, actor, at from account_intervention where account_id = $1 order by id
