-- Lifts a switch that is thrown. No row: it is not.
--
-- $1 the name, $2 why, $3 who, $4 the moment.
update stop
   set lift_reason = $2, lifted_by = $3, lifted_at = $4
 where name = $1
   and lifted_at is null
