-- The migrations that were applied whole. No binds, no locks.
select version from _sqlx_migrations where success order by version
