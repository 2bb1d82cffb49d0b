//! A database of one's own with accounts and top-ups to withdraw from.

#![allow(dead_code, reason = "each test binary uses its own part of the stage")]

use broker::contract::{Envelope, Stamp, WithdrawalRequested};
use chrono::{DateTime, TimeDelta, Utc};
use devstack::{Options, Servers, Stack};
use domain::{Currency, Money, Policy};
use futures::StreamExt;
use secrecy::SecretBox;
use serde_json::{Value, json};
use sqlx::Row;
use store::bank_accounts::{self, BankAccount};
use store::books::{self, ProfileRow};
use store::journal::{self, Bucket, Movement};
use store::top_ups::TopUp;
use store::{Database, Vault, VaultKey};
use uuid::Uuid;
use workers::intake::Rules;
use workers::verification::Proofs;

/// Connections of a stage.
const CONNECTIONS: u32 = 20;

/// Rivals for the same rows, as many at a time as there are connections: on a busy machine
/// the hundredth would wait for one longer than a worker waits before it tries again.
pub(crate) async fn all_at_once<T>(rivals: impl IntoIterator<Item: Future<Output = T>>) -> Vec<T> {
    futures::stream::iter(rivals).buffer_unordered(CONNECTIONS as usize).collect().await
}

/// A database with the schema, for as long as the test runs.
pub(crate) struct Stage {
    /// The database.
    pub(crate) database: Database,
    _stack: Stack,
}

/// A top-up to be written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Credit<'a> {
    /// The upstream's number; ends the order of arrival.
    pub(crate) id: &'a str,
    /// How it arrived.
    pub(crate) channel: &'a str,
    /// When.
    pub(crate) arrived_at: &'a str,
    /// How much.
    pub(crate) amount: &'a str,
}

/// The moment of every test: noon on a Tuesday in Shanghai.
pub(crate) fn now() -> DateTime<Utc> {
    "2026-03-10T12:00:00+08:00".parse().expect("a moment")
}

/// An amount in CNY.
pub(crate) fn cny(text: &str) -> Money {
    Money::parse(text, Currency::Cny).expect("an amount")
}

/// Seals with keys that are no secret.
pub(crate) fn vault() -> Vault {
    let key = |byte| SecretBox::new(Box::new([byte; 32]));
    Vault::new(&[VaultKey { id: "test".to_owned(), bytes: key(1) }], &key(2)).expect("a ring with a key")
}

/// The policy of the source document, without verification codes.
pub(crate) fn rules() -> Rules {
    let policy = Policy { max_open_withdrawals: 1_000, ..Policy::default() };
    Rules { policy, proofs: Proofs::Off, vault: vault() }
}

/// A request for money of `acct-1` to its source; `change` replaces fields.
pub(crate) fn request(id: &str, amount: &str, change: Value) -> Envelope<WithdrawalRequested> {
    let mut data = json!({
        "account_id": "acct-1",
        "amount": amount,
        "currency": "CNY",
        "route": "source",
        "requester": "customer",
        "requested_at": now(),
    });
    let Value::Object(fields) = change else { panic!("an object of fields") };
    for (field, value) in fields {
        data[field] = value;
    }
    let data: WithdrawalRequested = serde_json::from_value(data).expect("a request of the contract");
    let stamp =
        Stamp { source: "/upstream".parse().expect("a source"), id: id.parse().expect("an id"), time: now() };
    data.into_message(stamp)
}

impl Stage {
    /// A fresh database.
    pub(crate) async fn new() -> Self {
        let options = Options { servers: Servers::PostgresOnly, ..Options::default() };
        let stack = Stack::start(options).await.expect("a PostgreSQL");
        let url = stack.fresh_database("intake").await.expect("a database");
        let database = Database::connect(&url, CONNECTIONS).await.expect("a connection");
        database.migrate().await.expect("the schema");
        Self { database, _stack: stack }
    }

    /// A verified account of a person with these top-ups, in their order of sequence.
    pub(crate) async fn account(&self, id: &str, credits: &[Credit<'_>]) {
        let mut tx = self.database.begin().await.expect("a transaction");
        let profile = ProfileRow {
            id: id.to_owned(),
            currency: Currency::Cny,
            kind: "person",
            real_name: "张三".to_owned(),
            real_name_verified: true,
            advance_payment: false,
            master_account_id: None,
            contract_entity: "default".to_owned(),
            refunds_forbidden: false,
        };
        books::put_profiles(&mut tx, &[profile], now()).await.expect("an account");
        let rows: Vec<TopUp> = credits.iter().zip(1..).map(|(it, place)| top_up(id, it, place)).collect();
        let banks: Vec<BankAccount> = rows.iter().filter_map(bank).collect();
        bank_accounts::insert(&mut tx, &vault(), &banks, now()).await.expect("bank accounts");
        books::put_top_ups(&mut tx, &rows).await.expect("top-ups");
        let movements: Vec<Movement> = rows.iter().map(credit).collect();
        journal::apply(&mut tx, &movements, now()).await.expect("a journal");
        tx.commit().await.expect("a commit");
    }

    /// Runs a statement of the test.
    pub(crate) async fn run(&self, sql: &'static str) {
        let mut tx = self.database.begin().await.expect("a transaction");
        sqlx::query(sql).execute(&mut *tx).await.expect("a statement");
        tx.commit().await.expect("a commit");
    }

    /// The one value of a statement, as a text.
    pub(crate) async fn text(&self, sql: &'static str) -> String {
        let sql = sqlx::AssertSqlSafe(format!("select coalesce(({sql})::text, '')"));
        sqlx::query(sql).fetch_one(self.database.pool()).await.expect("a row").get(0)
    }

    /// The events of the outbox, oldest first: routing key and data.
    pub(crate) async fn events(&self) -> Vec<(String, Value)> {
        let sql = "select routing_key, body from outbox where exchange = 'outflow.events' order by id";
        let rows = sqlx::query(sql).fetch_all(self.database.pool()).await.expect("rows");
        rows.iter()
            .map(|row| {
                let body: Value = serde_json::from_slice(row.get(1)).expect("an event");
                (row.get(0), body["data"].clone())
            })
            .collect()
    }

    /// Buckets and totals agree with the journal, and no withdrawal holds more or less than its legs.
    pub(crate) async fn books_balance(&self) {
        let wrong = self
            .text(
                "select string_agg(upstream_id, ' ') from top_up where held <> (select coalesce(sum(amount), 0) \
                 from leg where leg.top_up_id = top_up.id and leg.state = 'planned')",
            )
            .await;
        assert_eq!(wrong, "", "top-ups whose hold is not the sum of their legs");
        let totals = self
            .text(
                "select count(*) from account where (remaining, held) is distinct from (select \
                 (coalesce(sum(remaining), 0)::bigint, coalesce(sum(held), 0)::bigint) from top_up where account_id = account.id)",
            )
            .await;
        assert_eq!(totals, "0", "accounts whose totals are not those of their top-ups");
    }
}

fn top_up(account_id: &str, credit: &Credit<'_>, sequence: i64) -> TopUp {
    let arrived_at: DateTime<Utc> = credit.arrived_at.parse().expect("a moment");
    let transfer = credit.channel == "bank_transfer";
    TopUp {
        id: Uuid::now_v7(),
        account_id: account_id.to_owned(),
        upstream_id: credit.id.to_owned(),
        sequence,
        channel: credit.channel.parse().expect("a channel"),
        contract_entity: "default".to_owned(),
        trade_no: Some(format!("trade-{}", credit.id)),
        out_trade_no: None,
        payer_name: Some("张三".to_owned()),
        bank_account_id: transfer.then(Uuid::now_v7),
        arrived_at,
        channel_paid_at: arrived_at - TimeDelta::minutes(1),
        bonus: credit.id.starts_with("bonus"),
        original: cny(credit.amount),
        remaining: cny(credit.amount),
        allocated: Money::ZERO,
        consumed: Money::ZERO,
        held: Money::ZERO,
        paid_out: Money::ZERO,
    }
}

fn bank(top_up: &TopUp) -> Option<BankAccount> {
    Some(BankAccount {
        id: top_up.bank_account_id?,
        account_id: top_up.account_id.clone(),
        holder: "张三".to_owned(),
        number: "6222020200112233445".to_owned().into(),
        bank_name: "中国银行".to_owned(),
        branch: "北京分行".to_owned(),
        cnaps: "104100000004".to_owned(),
        version: None,
    })
}

fn credit(top_up: &TopUp) -> Movement {
    Movement {
        account_id: top_up.account_id.clone(),
        top_up_id: top_up.id,
        from: Bucket::Outside,
        to: Bucket::Remaining,
        amount: top_up.original,
        cause: "credited",
        cause_id: top_up.upstream_id.clone(),
    }
}
