-- Calls to gateways by rail, kind and outcome, and how many seconds they took.
--
-- $1 after this position, $2 up to this one. No locks.
select leg.rail, attempt.kind, attempt_outcome.outcome, count(*) as number,
       greatest(round(extract(epoch from attempt_outcome.finished_at - attempt.started_at), 2), 0)::float8 as seconds
  from attempt_outcome
  join attempt on attempt.id = attempt_outcome.attempt_id
  join leg on leg.id = attempt.leg_id
 where attempt_outcome.position > $1 and attempt_outcome.position <= $2
 group by 1, 2, 3, 5
