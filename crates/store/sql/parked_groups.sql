-- Parked messages that nobody has dealt with, grouped by what is wrong with them, the largest group first.
select queue, problem ->> 'code' as code, problem ->> 'title' as title, count(*) as number,
       min(parked_at) as oldest, max(parked_at) as newest
  from parked_message
 where resolved_at is null
 group by queue, problem ->> 'code', problem ->> 'title'
 order by number desc, queue, code
