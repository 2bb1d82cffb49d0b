-- How many codes an account was issued. The caller holds the account's lock, so that the count stands until it commits.
--
-- $1 the account, $2 since when, exclusively.
select count(*) from verification_code where account_id = $1 and issued_at > $2
