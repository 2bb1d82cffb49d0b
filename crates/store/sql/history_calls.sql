-- Every call to a gateway for the legs of a withdrawal, with what it brought. An
-- empty outcome is a call that is under way, or was interrupted.
--
-- $1 the withdrawal.
select attempt.leg_id, attempt.payout_no, attempt.number, attempt.kind, attempt.started_at,
       attempt_outcome.outcome, attempt_outcome.code, attempt_outcome.detail,
       attempt_outcome.reference, attempt_outcome.finished_at
  from leg
  join attempt on attempt.leg_id = leg.id
  left join attempt_outcome on attempt_outcome.attempt_id = attempt.id
 where leg.withdrawal_id = $1
 order by attempt.started_at, attempt.id
