-- Who this program is to the server, and whether it may write here. No binds, no locks.
select current_user::text as name, role.rolsuper as is_superuser, pg_is_in_recovery() as is_standby,
       (select bool_and(has_table_privilege(current_user, class.oid, 'insert, update'))
          from pg_class class
         where class.oid = to_regclass('withdrawal')) as may_write
  from pg_roles role
 where role.rolname = current_user
