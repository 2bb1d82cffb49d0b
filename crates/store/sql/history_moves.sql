-- Every move of a withdrawal and its legs, in the order in which they were written.
--
-- $1 the withdrawal.
select leg_id, sequence, from_state, to_state, event, actor, note, at
  from transition
 where withdrawal_id = $1
 order by id
