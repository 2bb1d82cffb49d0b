-- Whether any migration was ever applied here. No binds, no locks.
select to_regclass('_sqlx_migrations') is not null
