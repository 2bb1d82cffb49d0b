-- The refused facts of an account behind a version, newest first.
--
-- $1 account, $2 behind this version, $3 how many at most.
select *
  from fact
 where account_id = $1
   and version > $2
   and refused_at is not null
 order by version, refused_at desc
 limit $3
