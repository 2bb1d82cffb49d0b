//! Every statement of the store is one that PostgreSQL understands and can plan.

use devstack::{Options, Servers, Stack};
use sqlx::{AssertSqlSafe, Row};
use store::Database;

/// The statements of `sql/`, by file name.
fn statements() -> Vec<(String, String)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/sql");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("the folder of statements")
        .map(|entry| entry.expect("an entry of the folder").path())
        .filter(|path| path.extension().is_some_and(|it| it == "sql"))
        .collect();
    files.sort();
    files
        .into_iter()
        .map(|path| {
            let name = path.file_stem().expect("a file name").to_string_lossy().into_owned();
            (name, std::fs::read_to_string(&path).expect("a readable statement"))
        })
        .collect()
}

#[tokio::test]
async fn every_statement_can_be_prepared_and_explained() {
    let stack = Stack::start(Options { servers: Servers::PostgresOnly, ..Options::default() })
        .await
        .expect("a PostgreSQL");
    let url = stack.fresh_database("statements").await.expect("a database");
    let database = Database::connect(&url, 1).await.expect("a connection");
    database.migrate().await.expect("the schema");
    let mut connection = database.pool().acquire().await.expect("a connection");
    let evidence = include_str!("../sql/verify_evidence.sql").replace("on commit drop", "");
    sqlx::raw_sql(AssertSqlSafe(evidence)).execute(&mut *connection).await.expect("the tables of evidence");

    let mut explained = 0;
    for (name, sql) in statements() {
        assert!(sql.starts_with("-- "), "{name} says what it does");
        if name == "verify_evidence" {
            continue; // Creates tables, and was run above.
        }
        let prepare = format!("prepare {name} as {sql}");
        sqlx::raw_sql(AssertSqlSafe(prepare))
            .execute(&mut *connection)
            .await
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let row = sqlx::query(
            "select cardinality(parameter_types) as binds from pg_prepared_statements where name = $1",
        )
        .bind(&name)
        .fetch_one(&mut *connection)
        .await
        .expect("the statement that was prepared");
        let nulls = vec!["null"; usize::try_from(row.get::<i32, _>("binds")).expect("a count")].join(", ");
        let arguments = if nulls.is_empty() { String::new() } else { format!("({nulls})") };
        let explain = format!("explain execute {name}{arguments}");
        let plan = sqlx::raw_sql(AssertSqlSafe(explain))
            .fetch_all(&mut *connection)
            .await
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(!plan.is_empty(), "{name} has a plan");
        explained += 1;
    }
    assert!(explained > 30, "only {explained} statements were found");
    stack.stop().await.expect("the stack stops");
}
