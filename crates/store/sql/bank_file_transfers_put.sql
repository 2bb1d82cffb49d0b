-- Claims legs into a file, in their order.
--
-- $1 the file, $2 legs.
insert into bank_transfer (file_id, leg_id, place)
select $1, leg_id, place
  from unnest($2::uuid[]) with ordinality as it (leg_id, place)
