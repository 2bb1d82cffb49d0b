-- The newest open top-ups of accounts, behind those that were read already.
--
-- $1 accounts, $2 arrival and $3 sequence of the last one that was read, or null; $4 how many at most per account.
-- Reads the partial index forwards and stops: the cost does not grow with the account.
select top_up.*
  from unnest($1::text[], $2::timestamptz[], $3::bigint[]) with ordinality as page (account_id, arrived_at, sequence, place)
 cross join lateral (
       select *
         from top_up
        where top_up.account_id = page.account_id
          and top_up.open
          and (top_up.arrived_at, top_up.sequence) < (coalesce(page.arrived_at, 'infinity'), coalesce(page.sequence, 0))
        order by top_up.arrived_at desc, top_up.sequence desc
        limit $4) as top_up
 order by page.place, top_up.arrived_at desc, top_up.sequence desc
