-- Leaves a trace of each move. The unique sequence makes a second writer of the same move fail.
--
-- $1 withdrawal ids, $2 leg ids or null, $3 sequences, $4 from, $5 to, $6 events, $7 actors, $8 notes or null; $9 the moment.
insert into transition (withdrawal_id, leg_id, sequence, from_state, to_state, event, actor, note, at)
select withdrawal_id, leg_id, sequence, from_state, to_state, event, actor, note, $9
  from unnest($1::uuid[], $2::uuid[], $3::integer[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])
       as move (withdrawal_id, leg_id, sequence, from_state, to_state, event, actor, note)
