-- What the top-ups of an account add up to. The caller holds its lock, so that nothing moves meanwhile.
--
-- $1 account.
select coalesce(sum(remaining), 0)::bigint as remaining, coalesce(sum(held), 0)::bigint as held from top_up where account_id = $1
