-- Locks one code, so that guesses at it are counted one after the other.
--
-- $1 the id. No row: there is no such code.
select * from verification_code where id = $1 for update
