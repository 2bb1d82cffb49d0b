-- Whether a rail may send: its switches and its circuit, in one look.
--
-- $1 the rail.
select circuit.*, exists (select 1 from stop where lifted_at is null and name in ('all', $1)) as stopped
  from circuit
 where rail = $1
