//! PostgreSQL and RabbitMQ go away under load and come back; no worker is restarted.

use std::sync::Arc;
use std::time::{Duration, Instant};

use broker::{BatchLimits, Connections, Inbox, Outgoing, Published, Publisher, topology};
use chrono::NaiveTime;
use devstack::{Environment, Options, Stack};
use domain::{Calendar, ChannelControl, ChannelControls, Currency, Money, Policy, Rail};
use gateways::{Gateways, Limits};
use serde_json::{Value, json};
use simulator::{Running, Simulator};
use store::verify::{GatewayMovement, verify};
use store::{Database, Vault, VaultKey};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use workers::verification::Proofs;
use workers::{BankRules, Clock, Desk, PayoutPolicy, Till, intake};

/// Customers; each has one top-up and asks twice for a part of it.
const CUSTOMERS: usize = 150;

/// The moment that messages carry.
const SAID_AT: &str = "2026-11-23T10:00:00+08:00";

/// How long the slowest step may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(3);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_outlive_the_database_and_the_broker() {
    let stack = Stack::start(Options { environment: Environment::Ignored, ..Options::default() })
        .await
        .expect("servers of its own");
    let folder = tempfile::tempdir().expect("a folder");
    let keys = folder.path().join("keys");
    let mut options = simulator::Options::on_loopback(keys.clone(), folder.path().join("book.jsonl"));
    options.switches.limits = simulator::Limits::Off;
    let simulator = Simulator::start(options).await.expect("a simulator");
    let database = Database::connect(stack.database_url(), 8).await.expect("a database");
    database.migrate().await.expect("the schema");
    let connections = Connections::open(stack.amqp_url(), "outage").await.expect("a broker");
    topology::apply(&connections).await.expect("the topology");
    let gateways =
        Gateways::from_key_folder(&keys, simulator.base_url(), Limits::default()).expect("gateways");

    let stop = CancellationToken::new();
    let till = Till {
        rules: Arc::default(),
        bank: BankRules::default(),
        controls: ChannelControls::all(ChannelControl::UNLIMITED),
        database: database.clone(),
        vault: vault(),
        gateways: Arc::new(gateways),
        clock: Clock::System,
    };
    let mut workers = start(&connections, &till, &stop);
    register_payments(&simulator);
    publish(&connections, (0..CUSTOMERS).flat_map(facts)).await;
    until("every top-up is booked", || count(&database, "select count(*) from top_up", CUSTOMERS)).await;

    publish(&connections, (0..CUSTOMERS).map(|customer| request(customer, 1))).await;
    until("the first withdrawals are completed", || at_least_completed(&database, CUSTOMERS / 10)).await;
    let postgres = stack.postgres().expect("its own PostgreSQL");
    postgres.stop_immediately().await.expect("PostgreSQL stops");
    postgres.start().await.expect("PostgreSQL comes back");

    publish(&connections, (0..CUSTOMERS).map(|customer| request(customer, 2))).await;
    until("more withdrawals are completed", || at_least_completed(&database, CUSTOMERS)).await;
    let rabbitmq = stack.rabbitmq().expect("its own RabbitMQ");
    rabbitmq.kill().await.expect("RabbitMQ dies");
    rabbitmq.start().await.expect("RabbitMQ comes back");

    // Everything once more: a publisher that saw no confirm would do the same.
    publish(&connections, (0..CUSTOMERS).map(|customer| request(customer, 2))).await;
    until("every withdrawal is completed", || at_least_completed(&database, 2 * CUSTOMERS)).await;
    until("the outbox is empty", || {
        count(&database, "select count(*) filter (where published_at is null) = 0 from outbox", 1)
    })
    .await;

    assert!(workers.try_join_next().is_none(), "a worker ended during an outage");
    stop.cancel();
    while let Some(ended) = workers.join_next().await {
        ended.expect("no worker panics").expect("every worker ends in peace");
    }
    let book = simulator.book();
    let movement = |it: &simulator::MovementLine| GatewayMovement {
        payout_no: it.number.clone(),
        amount: it.amount_fen,
        kind: "payout",
    };
    let movements: Vec<_> = book.movements.iter().map(movement).collect();
    let violations = verify(&database, Some(&movements), 1, Clock::System.now()).await.expect("an answer");
    assert_eq!((violations, book.paid_twice), (vec![], 0));
    stack.stop().await.expect("the stack stops");
}

/// Every worker that an Alipay withdrawal passes.
fn start(
    connections: &Connections,
    till: &Till,
    stop: &CancellationToken,
) -> JoinSet<Result<(), workers::Error>> {
    let inbox = |queue| Inbox::open(connections, queue, BatchLimits { max: 16, ..BatchLimits::default() });
    let (database, clock) = (till.database.clone(), till.clock.clone());
    let policy = PayoutPolicy {
        auto_approve_up_to: Money::parse("100.00", Currency::Cny).expect("an amount"),
        approvers: 1,
        calendar: Arc::new(Calendar::default()),
        bank_cut_offs: vec![NaiveTime::MIN],
        ..PayoutPolicy::default()
    };
    let approval_wait = Policy::default().approval_wait;
    let desk = Desk { policy, approval_wait, vault: till.vault.clone() };
    let rules = intake::Rules { policy: Policy::default(), proofs: Proofs::Off, vault: till.vault.clone() };
    let mut running = JoinSet::new();
    let facts = inbox(topology::FACTS);
    running.spawn(workers::facts::run(
        facts,
        database.clone(),
        till.vault.clone(),
        clock.clone(),
        stop.clone(),
    ));
    let requests = inbox(topology::REQUESTS);
    running.spawn(intake::run(requests, database.clone(), rules, clock.clone(), stop.clone()));
    let approvals = inbox(topology::APPROVALS);
    running.spawn(workers::approval::run(approvals, database.clone(), desk, clock.clone(), stop.clone()));
    running.spawn(workers::payout::run(
        inbox(topology::PAYOUT_ALIPAY),
        Rail::Alipay,
        till.clone(),
        stop.clone(),
    ));
    running.spawn(workers::settle::run(till.clone(), stop.clone()));
    running.spawn(workers::release::run(database.clone(), clock.clone(), stop.clone()));
    running.spawn(workers::relay::run(Publisher::new(connections), database, clock, stop.clone()));
    running
}

fn vault() -> Vault {
    let key = |byte| secrecy::SecretBox::new(Box::new([byte; 32]));
    Vault::new(&[VaultKey { id: "test".to_owned(), bytes: key(1) }], &key(2)).expect("a ring with a key")
}

fn trade_no(customer: usize) -> String {
    format!("2026112322001{customer:06}4242")
}

fn register_payments(simulator: &Running) {
    let trade = |customer: usize| {
        let trade = json!({
            "channel": "alipay", "trade_no": trade_no(customer), "out_trade_no": format!("o{customer}"),
            "total_fen": 10_000, "paid_at": "2026-11-01T10:00:00+08:00",
        });
        serde_json::from_value(trade).expect("a trade of the simulator")
    };
    simulator.register((0..CUSTOMERS).map(trade).collect()).expect("the payments are registered");
}

fn message(id: &str, kind: &str, data: &Value) -> Vec<u8> {
    let message = json!({
        "specversion": "1.0", "id": id, "source": "/outage", "type": kind, "time": SAID_AT, "data": data,
    });
    message.to_string().into_bytes()
}

fn facts(customer: usize) -> [Outgoing; 2] {
    let account = json!({
        "account_id": format!("a{customer}"), "version": 1, "currency": "CNY", "kind": "person",
        "real_name": "李伟", "real_name_verified": true, "partner_mode": "none",
    });
    let top_up = json!({
        "account_id": format!("a{customer}"), "version": 2, "top_up_id": format!("t{customer}"),
        "channel": "alipay", "amount": "100.00", "currency": "CNY", "arrived_at": "2026-11-01T10:00:00+08:00",
        "trade_no": trade_no(customer), "bonus": false,
    });
    let fact = |version: u8, kind, data| {
        let id = format!("f{customer}-{version}");
        Outgoing::work(topology::FACTS, id.clone(), message(&id, kind, data))
    };
    [fact(1, "outflow.account.upserted.v1", &account), fact(2, "outflow.top_up.credited.v1", &top_up)]
}

fn request(customer: usize, number: u8) -> Outgoing {
    let data = json!({
        "account_id": format!("a{customer}"), "amount": "40.00", "currency": "CNY", "route": "source",
        "requester": "customer", "requested_at": SAID_AT,
    });
    let id = format!("w{customer}-{number}");
    Outgoing::work(topology::REQUESTS, id.clone(), message(&id, "outflow.withdrawal.requested.v1", &data))
}

/// Publishes until every message is confirmed, as a careful upstream does.
async fn publish(connections: &Connections, messages: impl Iterator<Item = Outgoing>) {
    let publisher = Publisher::new(connections);
    let mut left: Vec<Outgoing> = messages.collect();
    let began = Instant::now();
    while !left.is_empty() {
        assert!(began.elapsed() < PATIENCE, "{} messages are not confirmed", left.len());
        let answers = publisher.publish_all(&left).await;
        left = left
            .into_iter()
            .zip(answers)
            .filter(|(_, it)| *it != Published::Confirmed)
            .map(|(it, _)| it)
            .collect();
    }
}

async fn at_least_completed(database: &Database, wanted: usize) -> bool {
    count(database, "select count(*) from withdrawal where state = 'completed'", wanted).await
}

/// Whether the statement's number has reached `wanted`. A database that is away has reached nothing.
async fn count(database: &Database, sql: &'static str, wanted: usize) -> bool {
    let sql = sqlx::AssertSqlSafe(format!("select ({sql})::text"));
    let found: Result<String, _> = sqlx::query_scalar(sql).fetch_one(database.pool()).await;
    match found.as_deref() {
        Ok("true") => true,
        Ok(number) => number.parse::<usize>().is_ok_and(|it| it >= wanted),
        Err(_) => false,
    }
}

/// Looks again and again until a condition holds.
async fn until<Look: Future<Output = bool>>(what: &str, mut look: impl FnMut() -> Look) {
    let began = Instant::now();
    while !look().await {
        assert!(began.elapsed() < PATIENCE, "it never came about that {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
