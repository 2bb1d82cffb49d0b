-- How many legs of a rail are claimed and not answered yet.
--
-- $1 the rail, $2 the moment. A claim that ran out is settle's.
select count(*)
  from leg
 where rail = $1
   and state = 'dispatching'
   and lease_until > $2
