-- What leaves and what must have arrived, by day in Shanghai.
--
-- $1 from this moment on, $2 up to this one.
select day, kind, count(*) as number, sum(amount)::bigint as amount
  from (select (dispatch_at at time zone 'Asia/Shanghai')::date as day, 'leaves' as kind, amount
          from leg
         where state = 'scheduled' and dispatch_at >= $1 and dispatch_at < $2
         union all
        select (deadline_at at time zone 'Asia/Shanghai')::date, 'arrives', amount
          from leg
         where state in ('scheduled', 'dispatching', 'submitted', 'unknown', 'held', 'manual_review')
           and deadline_at >= $1 and deadline_at < $2) as due
 group by day, kind
 order by day, kind
