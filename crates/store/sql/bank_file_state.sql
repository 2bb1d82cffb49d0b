-- Notes what is known of a file. What was answered, or is not to be sent again, stays so.
--
-- $1 the file, $2 its state, $3 sends that were added, $4 the moment.
update bank_file
   set state = $2, sends = sends + $3, changed_at = $4
 where id = $1
   and state in ('written', 'unsent')
