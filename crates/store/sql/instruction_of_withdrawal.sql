-- Every message of one type about a withdrawal, oldest first.
--
-- $1 the withdrawal, $2 the type.
select * from instruction where withdrawal_id = $1 and type = $2 order by received_at, event_id
