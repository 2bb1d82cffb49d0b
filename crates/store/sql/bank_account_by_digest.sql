-- Bank accounts by the digest of their number, newest first.
--
-- $1 the digest.
select * from bank_account where number_digest = $1 order by id desc
