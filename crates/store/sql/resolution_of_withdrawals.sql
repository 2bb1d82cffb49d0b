-- Everything that people said became of legs in manual review, oldest first.
--
-- $1 withdrawals.
select * from resolution where withdrawal_id = any($1) order by made_at, id
