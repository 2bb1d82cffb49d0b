-- Whether a person has resolved such a difference: then what it says is accepted.
--
-- $1 the rail, $2 the day, $3 the kind, $4 the subject.
select exists (
           select 1
             from statement_difference
            where rail = $1
              and day = $2
              and kind = $3
              and subject = $4
              and resolved_by <> 'reconciliation')
