-- Moves by what moved, from and to which state, and after how many seconds in the state before.
--
-- $1 after this number, $2 up to this one. The seconds are null for a row's first move. No locks.
select case when move.leg_id is null then 'withdrawal' else 'leg' end as entity, move.from_state, move.to_state,
       greatest(round(extract(epoch from move.at - before.at), 2), 0)::float8 as seconds, count(*) as number
  from transition move
  left join lateral (
       select at
         from transition
        where transition.withdrawal_id = move.withdrawal_id
          and transition.leg_id is not distinct from move.leg_id
          and transition.sequence = move.sequence - 1
        limit 1) before on true
 where move.id > $1 and move.id <= $2
 group by 1, 2, 3, 4
