-- Writes what a guess changed; the caller holds the code's lock.
--
-- $1 the id, $2 wrong guesses so far, $3 when it was confirmed, or null.
update verification_code set guesses = $2, confirmed_at = $3 where id = $1
