-- Opens the run of a cut-off. No row: it has been opened already.
--
-- $1 id, $2 the working day, $3 the time of day; $4 the moment.
insert into bank_run (id, rail, bank_day, cut_off, opened_at)
values ($1, 'bank', $2, $3, $4)
    on conflict (rail, bank_day, cut_off) do nothing
