-- What calls to each rail brought since a moment, and how long they took.
--
-- $1 since when.
select leg.rail, attempt.kind, coalesce(attempt_outcome.outcome, 'no answer') as outcome, attempt_outcome.code,
       count(*) as number,
       (avg(extract(epoch from attempt_outcome.finished_at - attempt.started_at)) * 1000)::bigint as mean_ms
  from attempt
  join leg on leg.id = attempt.leg_id
  left join attempt_outcome on attempt_outcome.attempt_id = attempt.id
 where attempt.started_at >= $1
 group by leg.rail, attempt.kind, attempt_outcome.outcome, attempt_outcome.code
 order by leg.rail, attempt.kind, number desc
