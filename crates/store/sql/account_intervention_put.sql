-- Writes what people did about an account. The caller holds its lock.
--
-- $1 id, $2 account, $3 action, $4 version or null, $5 why it was stopped or null, $6 reason, $7 actor, $8 the moment.
insert into account_intervention (id, account_id, action, version, stopped, reason, actor, at)
values ($1, $2, $3, $4, $5, $6, $7, $8)
