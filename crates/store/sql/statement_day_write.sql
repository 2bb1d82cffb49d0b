-- Writes what became of a settlement day; the caller holds its lock. What is null of the file leaves what is known of it.
--
-- $1 the day's id, $2 the state, $3 digest, $4 lines, $5 total, $6 opening balance, $7 closing balance, $8 source, $9 detail; $10 the moment.
update statement_day
   set state = $2, digest = coalesce($3, digest), lines = coalesce($4, lines), total = coalesce($5, total),
       opening = coalesce($6, opening), closing = coalesce($7, closing), source = coalesce($8, source), detail = $9,
       looked_at = $10, closed_at = case when $2 = 'closed' then coalesce(closed_at, $10) end
 where id = $1
