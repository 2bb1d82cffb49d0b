-- Makes the row of a settlement day. No row: it is there.
--
-- $1 id, $2 the rail, $3 the day, $4 the moment.
insert into statement_day (id, rail, day, state, looked_at)
values ($1, $2, $3, 'open', $4)
    on conflict (rail, day) do nothing
