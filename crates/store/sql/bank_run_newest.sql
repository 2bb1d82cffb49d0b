-- The newest runs with what their files add up to.
--
-- $1 one run only or null, $2 how many at most.
select run.*, coalesce(sum(file.transfers) filter (where file.state <> 'void'), 0)::bigint as transfers,
       coalesce(sum(file.total) filter (where file.state <> 'void'), 0)::bigint as total,
       count(file.id) as files
  from bank_run as run
  left join bank_file as file on file.run_id = run.id
 where $1::uuid is null
    or run.id = $1
 group by run.id
 order by run.bank_day desc, run.cut_off desc
 limit $2
