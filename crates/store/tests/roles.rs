//! S05: what the server lets each role do is what the table of roles says.

use std::collections::BTreeSet;

use devstack::{Options, Servers, Stack};
use sqlx::{AssertSqlSafe, PgPool, Row};
use store::Database;
use store::roles::{self, Role, Verb};
use store::schema::{self, Schema};

/// SQLSTATE of what a role may not do.
const DENIED: &str = "42501";

/// A schema with roles of its own: roles belong to the whole server, which other tests use too.
struct Scene {
    stack: Stack,
    database: Database,
    prefix: String,
    url: String,
}

impl Scene {
    async fn set() -> Self {
        let options = Options { servers: Servers::PostgresOnly, ..Options::default() };
        let stack = Stack::start(options).await.expect("a PostgreSQL");
        let url = stack.fresh_database("roles").await.expect("a database");
        let prefix = url.rsplit('/').next().expect("a URL has a path").to_owned();
        let database = Database::connect(&url, 1).await.expect("a connection");
        database.migrate().await.expect("the schema");
        let scene = Self { stack, database, prefix, url };
        scene.grant().await;
        scene
    }

    async fn grant(&self) {
        let sql = AssertSqlSafe(roles::sql(&self.prefix));
        sqlx::raw_sql(sql).execute(self.pool()).await.expect("the script of the roles");
    }

    fn pool(&self) -> &PgPool {
        self.database.pool()
    }

    fn role(&self, role: &Role) -> String {
        format!("{}_{}", self.prefix, role.name)
    }

    /// Every table of the schema, the list of its migrations among them.
    async fn tables(&self) -> Vec<String> {
        let tables = "select relname::text from pg_class
                       where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm')
                       order by 1";
        sqlx::query_scalar(tables).fetch_all(self.pool()).await.expect("the tables")
    }

    /// Tries a statement as a role, and undoes it. `false`: the role may not.
    async fn may(&self, role: &str, statement: &str) -> bool {
        let mut tx = self.database.begin().await.expect("a transaction");
        let become_it = format!("set local role {role}");
        sqlx::raw_sql(AssertSqlSafe(become_it)).execute(&mut *tx).await.expect("the role exists");
        match sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *tx).await {
            Ok(_) => true,
            // Whatever is wrong with an empty row is found after the permission.
            Err(sqlx::Error::Database(error)) => error.code().as_deref() != Some(DENIED),
            Err(error) => panic!("{statement}: {error}"),
        }
    }

    async fn strike(self) {
        let names: Vec<String> = roles::roles().iter().map(|it| self.role(it)).collect();
        let all = format!("{}, {}_all", names.join(", "), self.prefix);
        let sql = AssertSqlSafe(format!("drop owned by {all}; drop role {all}"));
        sqlx::raw_sql(sql).execute(self.pool()).await.expect("the roles go");
        self.stack.stop().await.expect("the stack stops");
    }
}

/// A statement for each verb that changes nothing, whatever the table.
fn attempts(table: &str, column: &str) -> [(&'static str, String); 5] {
    [
        ("select", format!("select from {table} limit 0")),
        ("insert", format!("insert into {table} default values")),
        ("update", format!("update {table} set {column} = default where false")),
        ("delete", format!("delete from {table} where false")),
        ("truncate", format!("truncate {table}")),
    ]
}

#[tokio::test]
async fn s05_every_role_may_do_to_every_table_what_the_table_of_roles_says() {
    let scene = Scene::set().await;
    let tables = scene.tables().await;
    let known: BTreeSet<&str> = roles::tables().into_iter().collect();
    let there: BTreeSet<&str> = tables.iter().map(String::as_str).collect();
    assert_eq!(there, known, "crates/store/src/roles.rs says who may use each table");
    // Running it again changes nothing.
    scene.grant().await;

    let mut asked = 0;
    for role in roles::roles() {
        for table in &tables {
            let column = "select attname::text from pg_attribute
                           where attrelid = $1::regclass and attnum > 0 and attidentity = '' limit 1";
            let column: String =
                sqlx::query_scalar(column).bind(table).fetch_one(scene.pool()).await.expect("a column");
            let granted =
                role.grants.iter().find(|(name, _)| name == table).map(|(_, verbs)| verbs.as_slice());
            for (verb, statement) in attempts(table, &column) {
                let expected = granted.unwrap_or_default().iter().any(|it| it.to_string() == verb);
                let allowed = scene.may(&scene.role(&role), &statement).await;
                assert_eq!(allowed, expected, "{} may {verb} on {table}", role.name);
                asked += 1;
            }
        }
    }
    println!("{asked} attempts");
    scene.strike().await;
}

#[tokio::test]
async fn s05_no_role_is_more_than_its_grants() {
    let scene = Scene::set().await;
    let names: Vec<String> =
        roles::roles().iter().map(|it| scene.role(it)).chain([format!("{}_all", scene.prefix)]).collect();
    let roles = "select rolname::text, rolsuper or rolcreatedb or rolcreaterole or rolreplication or rolbypassrls as more,
                        rolpassword is not null as password
                   from pg_authid where rolname = any($1)";
    let rows = sqlx::query(roles).bind(&names).fetch_all(scene.pool()).await.expect("the roles");
    assert_eq!(rows.len(), names.len());
    for row in rows {
        let name: String = row.get("rolname");
        assert!(!row.get::<bool, _>("more") && !row.get::<bool, _>("password"), "{name}");
        assert!(!scene.may(&name, "create table of_its_own (id integer)").await, "{name} creates a table");
        assert!(!scene.may(&name, "alter table leg add column mine integer").await, "{name} alters a table");
        let migrations = scene.may(&name, "select 1 from _sqlx_migrations").await;
        assert_eq!(migrations, name.ends_with("_operator"), "{name} and the list of migrations");
        let temporary = name.ends_with("_verify") || name.ends_with("_operator") || name.ends_with("_all");
        assert_eq!(scene.may(&name, "create temporary table t (id integer)").await, temporary, "{name}");
    }
    scene.strike().await;
}

#[tokio::test]
async fn s05_the_operator_sees_which_migrations_were_applied_and_no_worker_does() {
    let scene = Scene::set().await;
    let url = scene.url.clone();
    let compared = async |name: &str| {
        let as_role = format!("{url}?options=-c%20role%3D{}_{name}", scene.prefix);
        let database = Database::connect(&as_role, 1).await.expect("a connection");
        schema::compare(&database).await
    };
    assert_eq!(compared(roles::OPERATOR).await.expect("it may ask"), Schema::default());
    let refused = compared("intake").await.expect_err("a worker has no use for it");
    assert!(refused.lacks_right() && !refused.lacks_schema(), "{refused}");
    scene.strike().await;
}

#[tokio::test]
async fn s05_one_process_with_every_worker_has_what_they_have_together() {
    let scene = Scene::set().await;
    let all = format!("{}_all", scene.prefix);
    for role in roles::roles().iter().filter(|it| ![roles::OPERATOR, "api"].contains(&it.name)) {
        for (table, verbs) in &role.grants {
            for verb in verbs {
                let has: bool = sqlx::query_scalar("select has_table_privilege($1, $2, $3)")
                    .bind(&all)
                    .bind(table)
                    .bind(verb.to_string())
                    .fetch_one(scene.pool())
                    .await
                    .expect("an answer");
                assert!(has, "{} {verb} {table}", role.name);
            }
        }
    }
    for (table, verb) in
        [("operator", Verb::Select), ("console_session", Verb::Insert), ("transfer", Verb::Update)]
    {
        let has: bool = sqlx::query_scalar("select has_table_privilege($1, $2, $3)")
            .bind(&all)
            .bind(table)
            .bind(verb.to_string())
            .fetch_one(scene.pool())
            .await
            .expect("an answer");
        assert!(!has, "all may {verb} {table}");
    }
    scene.strike().await;
}
