//! A ledger of its own for each test, and how an upstream talks to it.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use chrono::{DateTime, Utc};
use devstack::{Options, Servers, Stack};
use secrecy::SecretBox;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Row};
use store::{Database, Vault, VaultKey};
use tokio_util::sync::CancellationToken;
use workers::dead_letter::Letter;
use workers::facts::{Desk, Tally, take};

/// A ledger, and the stack that it lives on.
pub(crate) struct World {
    pub(crate) desk: Desk,
    pub(crate) stack: Stack,
}

pub(crate) fn noon() -> DateTime<Utc> {
    "2026-09-01T04:00:00Z".parse().unwrap()
}

pub(crate) fn vault() -> Vault {
    let key = |byte| SecretBox::new(Box::new([byte; 32]));
    Vault::new(&[VaultKey { id: "test".to_owned(), bytes: key(1) }], &key(2)).unwrap()
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(Servers::PostgresOnly).await
    }

    pub(crate) async fn with(servers: Servers) -> Self {
        let stack = Stack::start(Options { servers, ..Options::default() }).await.unwrap();
        let url = stack.fresh_database("facts").await.unwrap();
        let database = Database::connect(&url, 4).await.unwrap();
        database.migrate().await.unwrap();
        Self { desk: Desk { database, vault: vault() }, stack }
    }

    /// Delivers messages as one batch.
    pub(crate) async fn deliver(&self, messages: &[Value]) -> Tally {
        self.deliver_at(messages, noon()).await
    }

    pub(crate) async fn deliver_at(&self, messages: &[Value], at: DateTime<Utc>) -> Tally {
        let bodies: Vec<Vec<u8>> = messages.iter().map(|it| it.to_string().into_bytes()).collect();
        self.deliver_bytes(&bodies, at, Redelivered::No).await
    }

    /// Delivers one message again, as a broker does after a lost connection.
    pub(crate) async fn redeliver(&self, message: &Value) -> Tally {
        self.deliver_bytes(&[message.to_string().into_bytes()], noon(), Redelivered::Yes).await
    }

    pub(crate) async fn deliver_bytes(
        &self,
        bodies: &[Vec<u8>],
        at: DateTime<Utc>,
        redelivered: Redelivered,
    ) -> Tally {
        let redelivered = redelivered == Redelivered::Yes;
        let letters: Vec<Letter<'_>> = bodies
            .iter()
            .map(|body| Letter { message_id: None, redelivered, headers: json!({}), body })
            .collect();
        take(&self.desk, &letters, at, &CancellationToken::new()).await.unwrap().expect("nobody stops it")
    }

    /// The rows of a query whose first column is text.
    pub(crate) async fn texts(&self, query: &str) -> Vec<String> {
        let rows =
            sqlx::query(AssertSqlSafe(query.to_owned())).fetch_all(self.desk.database.pool()).await.unwrap();
        rows.iter().map(|row| row.get::<Option<String>, _>(0).unwrap_or_else(|| "-".to_owned())).collect()
    }

    /// One text.
    pub(crate) async fn text(&self, query: &str) -> String {
        self.texts(query).await.into_iter().next().unwrap_or_default()
    }

    pub(crate) async fn execute(&self, statement: &str) {
        let mut tx = self.desk.database.begin().await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// What is free of each top-up of an account, oldest first.
    pub(crate) async fn remaining(&self, account: &str) -> String {
        let query = format!(
            "select string_agg(upstream_id || ' ' || remaining, ', ' order by arrived_at, sequence)
               from top_up where account_id = '{account}'"
        );
        self.text(&query).await
    }

    /// The codes of the dead letters in the outbox, in their order.
    pub(crate) async fn dead_letters(&self) -> Vec<String> {
        self.texts("select headers->>'x-outflow-code' from outbox order by id").await
    }

    pub(crate) async fn stopped(&self, account: &str) -> String {
        self.text(&format!("select stopped_because from account where id = '{account}'")).await
    }
}

/// Whether the broker delivered a message before.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Redelivered {
    No,
    Yes,
}

/// A message about an account. Every call makes another event id.
pub(crate) fn fact(kind: &str, account: &str, version: u64, data: Value) -> Value {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    let id = format!("e-{}", COUNT.fetch_add(1, Relaxed));
    let mut all = json!({ "account_id": account, "version": version });
    let Value::Object(fields) = data else { panic!("data is an object") };
    for (name, value) in fields {
        all[name] = value;
    }
    json!({
        "specversion": "1.0", "id": id, "source": "/upstream", "type": format!("outflow.{kind}.v1"),
        "time": "2026-09-01T12:00:00+08:00", "data": all
    })
}

pub(crate) fn upserted(account: &str, version: u64) -> Value {
    let data = json!({
        "currency": "CNY", "kind": "enterprise", "real_name": "示例公司", "real_name_verified": true,
        "partner_mode": "none"
    });
    fact("account.upserted", account, version, data)
}

/// A top-up by Alipay that arrived on a day of 2026, counted from New Year.
pub(crate) fn credited(account: &str, version: u64, top_up: &str, amount: &str, day: i64) -> Value {
    let arrived =
        "2026-01-01T10:00:00+08:00".parse::<DateTime<Utc>>().unwrap() + chrono::TimeDelta::days(day);
    let data = json!({
        "top_up_id": top_up, "channel": "alipay", "amount": amount, "currency": "CNY",
        "arrived_at": arrived.to_rfc3339(), "trade_no": format!("T-{top_up}"), "bonus": false
    });
    fact("top_up.credited", account, version, data)
}

pub(crate) fn billed(account: &str, version: u64, amount: &str) -> Value {
    fact("usage.billed", account, version, json!({ "bill_id": "b", "amount": amount, "currency": "CNY" }))
}
