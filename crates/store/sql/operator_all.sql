-- Every operator, those in force first.
select id, name, role, created_at, created_by, revoked_at, revoked_by
  from operator
 order by revoked_at is not null, name, created_at
