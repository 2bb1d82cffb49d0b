//! The cost of a fact does not grow with the account that it is about.

use devstack::{Options, Servers, Stack};
use sqlx::{AssertSqlSafe, Row};
use store::Database;

/// Actual rows of the scan of `top_up`, and the node that scanned.
async fn scan(database: &Database, statement: &str) -> (i64, String) {
    let mut tx = database.begin().await.expect("a transaction");
    let prepare = format!("prepare reading as {statement}");
    sqlx::raw_sql(AssertSqlSafe(prepare)).execute(&mut *tx).await.expect("a statement");
    let explain = "explain (analyze, format json)
                   execute reading (array['a'], array[null]::timestamptz[], array[null]::bigint[], 32)";
    let row = sqlx::raw_sql(explain).fetch_one(&mut *tx).await.expect("a plan");
    sqlx::raw_sql("deallocate reading").execute(&mut *tx).await.expect("an end");
    let plan: serde_json::Value = row.get(0);
    find_scan(&plan[0]["Plan"]).expect("a scan of top_up")
}

fn find_scan(node: &serde_json::Value) -> Option<(i64, String)> {
    if node["Relation Name"] == "top_up" {
        let removed = node["Rows Removed by Filter"].as_i64().unwrap_or(0);
        let rows = node["Actual Rows"].as_f64().unwrap_or(0.0).to_string().parse().unwrap_or(i64::MAX);
        return Some((rows + removed, node["Index Name"].as_str().unwrap_or("no index").to_owned()));
    }
    node["Plans"].as_array()?.iter().find_map(find_scan)
}

#[tokio::test]
async fn r9_and_r9b_both_ends_of_a_large_account_are_read_by_the_index_and_no_further() {
    let options = Options { servers: Servers::PostgresOnly, ..Options::default() };
    let stack = Stack::start(options).await.expect("a PostgreSQL");
    let url = stack.fresh_database("books").await.expect("a database");
    let database = Database::connect(&url, 1).await.expect("a connection");
    database.migrate().await.expect("the schema");
    let mut tx = database.begin().await.expect("a transaction");
    // Half of the top-ups are spent, at both ends of the account.
    let fill =
        "insert into top_up (id, account_id, upstream_id, sequence, channel, contract_entity, arrived_at,
                                    channel_paid_at, bonus, original, remaining, consumed, open)
                select gen_random_uuid(), 'a', 't' || n, n, 'alipay', 'default', moment, moment, false, 100,
                       case when spent then 0 else 100 end, case when spent then 100 else 0 end, not spent
                  from generate_series(1, 20000) as n,
                       lateral (select timestamptz '2026-01-01' + n * interval '1 minute' as moment,
                                       n <= 5000 or n > 15000 as spent) as it";
    sqlx::raw_sql(fill).execute(&mut *tx).await.expect("an account");
    sqlx::raw_sql("analyze top_up").execute(&mut *tx).await.expect("statistics");
    tx.commit().await.expect("a commit");
    for statement in [include_str!("../sql/top_up_oldest.sql"), include_str!("../sql/top_up_newest.sql")] {
        let (read, by) = scan(&database, statement).await;
        assert_eq!((read, by.as_str()), (32, "top_up_newest_first"), "{statement}");
    }
}
