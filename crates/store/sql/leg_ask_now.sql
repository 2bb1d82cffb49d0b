-- Has settle ask about a leg at its next look. No row: it is not under way, or not a leg of this withdrawal.
--
-- $1 the withdrawal, $2 the leg, $3 the moment. Moves nothing.
update leg
   set check_at = least(check_at, $3), changed_at = $3
 where withdrawal_id = $1
   and id = $2
   and state in ('submitted', 'unknown')
