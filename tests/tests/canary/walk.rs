//! The walk: every worker on real servers and a manual clock, from the facts to
//! money at the bank.

use std::env;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::{Duration, Instant};

use broker::{BatchLimits, Connections, Inbox, Outgoing, Published, Publisher, Settled, topology};
use chrono::{DateTime, NaiveTime, Utc};
use devstack::{Options, Stack};
use domain::{Calendar, ChannelControl, ChannelControls, Currency, Money, Policy, Rail};
use gateways::{Gateways, Limits};
use lapin::options::{QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use secrecy::SecretBox;
use simulator::{Running, SimClock, Simulator};
use store::{Database, Vault, VaultKey};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use workers::verification::Proofs;
use workers::{BankRules, Clock, Desk, PayoutPolicy, Till, holds, intake};

use super::letters;

/// How long the slowest step may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(3);

/// A queue that hears every event and every dead letter.
const EAR: &str = "canary.ear";

/// The product at work, and where its traces are.
pub(super) struct Walk {
    stack: Stack,
    till: Till,
    connections: Connections,
    database_url: String,
    amqp_url: String,
    folder: tempfile::TempDir,
    stop: CancellationToken,
    workers: tokio::sync::Mutex<JoinSet<Result<(), workers::Error>>>,
    simulator: Running,
}

impl Walk {
    /// Starts everything.
    pub(super) async fn begin() -> Self {
        let stack = Stack::start(Options::default()).await.expect("servers");
        let database_url = stack.fresh_database("canary").await.expect("a database");
        let amqp_url = stack.fresh_vhost().await.expect("a virtual host");
        let database = Database::connect(&database_url, 8).await.expect("a connection");
        database.migrate().await.expect("the schema");
        let connections = Connections::open(&amqp_url, "canary").await.expect("a broker");
        topology::apply(&connections).await.expect("the topology");
        listen(&connections).await;

        let said_at: DateTime<Utc> = letters::SAID_AT.parse().expect("a moment");
        let millis = Arc::new(AtomicI64::new(said_at.timestamp_millis()));
        let folder = tempfile::tempdir().expect("a folder");
        let keys = folder.path().join("keys");
        let options = simulator::Options {
            clock: SimClock::Manual(Arc::clone(&millis)),
            ..simulator::Options::on_loopback(keys.clone(), folder.path().join("book.jsonl"))
        };
        let simulator = Simulator::start(options).await.expect("a simulator");
        let gateways =
            Gateways::from_key_folder(&keys, simulator.base_url(), Limits::default()).expect("gateways");
        let till = Till {
            database,
            vault: vault(),
            gateways: Arc::new(gateways),
            rules: Arc::default(),
            bank: BankRules::default(),
            controls: ChannelControls::all(ChannelControl::UNLIMITED),
            clock: Clock::Manual(millis),
        };
        let stop = CancellationToken::new();
        let workers = tokio::sync::Mutex::new(start(&connections, &till, &stop));
        Self { stack, till, connections, database_url, amqp_url, folder, stop, workers, simulator }
    }

    /// Facts, requests, details, approvals, and both payments at the bank.
    pub(super) async fn go(&self) {
        self.publish(letters::facts()).await;
        self.until("the facts are booked", "select count(*) = 2 from top_up").await;
        self.publish(letters::requests()).await;
        self.until("the requests are decided", "select count(*) = 3 from withdrawal").await;
        let waits: String = self.text("select id::text from withdrawal where request_id = 'r-card'").await;
        self.publish(letters::details(&waits)).await;
        let told = "select count(*) = 2 from outbox where routing_key = 'message.refused'";
        self.until("refused details are told", told).await;
        let approved = "select count(*) = 2 from leg where state = 'scheduled' and dispatch_at is not null";
        self.until("both are approved", approved).await;
        self.till.clock.advance(Duration::from_hours(5));
        let began = Instant::now();
        while self.text("select count(*) filter (where state = 'completed') from withdrawal").await != "2" {
            assert!(began.elapsed() < PATIENCE, "{}", self.legs().await);
            self.till.clock.advance(Duration::from_mins(5));
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self.until(
            "everything is published",
            "select count(*) filter (where published_at is null) = 0 from outbox",
        )
        .await;
    }

    /// Every event and dead letter with its headers.
    pub(super) async fn messages(&self) -> Vec<(String, String)> {
        let published =
            "select count(*) from outbox where exchange in ('outflow.events', 'outflow.dead-letters')";
        let wanted: usize = self.text(published).await.parse().expect("a number");
        let mut inbox = Inbox::open(&self.connections, EAR, BatchLimits::default());
        let mut heard = Vec::new();
        while heard.len() < wanted {
            let batch = inbox.next_batch(&self.stop).await.expect("it is not stopped");
            for it in &batch.deliveries {
                let headers = ["x-outflow-problem", "x-outflow-code", "x-outflow-queue", "traceparent"];
                let headers: Vec<String> = headers.iter().filter_map(|name| it.header(name)).collect();
                let text = format!("{} {}", headers.join(" "), String::from_utf8_lossy(&it.body));
                heard.push((format!("the message {}", it.routing_key), text));
            }
            assert_eq!(batch.ack().await, Settled::Sent);
        }
        let dead = heard.iter().filter(|(name, _)| name.contains("outflow.facts")).count();
        assert_eq!(dead, 2, "both facts that nobody can use are among the dead letters");
        heard
    }

    /// Every row of every table as text; bytes are hexadecimal there.
    pub(super) async fn rows(&self) -> Vec<(String, String)> {
        let tables: Vec<String> =
            sqlx::query_scalar("select tablename::text from pg_tables where schemaname = 'public'")
                .fetch_all(self.till.database.pool())
                .await
                .expect("tables");
        let mut rows = Vec::new();
        for table in tables {
            let sql = sqlx::AssertSqlSafe(format!("select row_to_json(it)::text from {table} as it"));
            let found: Vec<String> =
                sqlx::query_scalar(sql).fetch_all(self.till.database.pool()).await.expect("rows");
            rows.extend(found.into_iter().map(|row| (table.clone(), row)));
        }
        assert!(rows.len() > 50, "a walk leaves many rows");
        rows
    }

    /// The numbers of the withdrawal to the source, and of the one to the card.
    pub(super) async fn withdrawals(&self) -> [String; 2] {
        let of = |request: &str| format!("select id::text from withdrawal where request_id = '{request}'");
        [self.text(&of("r-source")).await, self.text(&of("r-card")).await]
    }

    /// A file with this text.
    pub(super) fn file(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).expect("the folder can be written");
        path.display().to_string()
    }

    /// What leads a command to these servers.
    pub(super) fn environment(&self) -> [(&'static str, String); 3] {
        [
            ("OUTFLOW_DATABASE_URL", self.database_url.clone()),
            ("OUTFLOW_AMQP_URL", self.amqp_url.clone()),
            ("OUTFLOW_PROFILE", "dev".to_owned()),
        ]
    }

    /// Ends everything.
    pub(super) async fn end(self) {
        self.stop.cancel();
        while let Some(ended) = self.workers.lock().await.join_next().await {
            ended.expect("no worker panics").expect("every worker ends in peace");
        }
        self.simulator.stop().await;
        self.stack.stop().await.expect("the stack stops");
    }

    async fn publish(&self, letters: Vec<Outgoing>) {
        let answers = Publisher::new(&self.connections).publish_all(&letters).await;
        assert!(answers.iter().all(|it| *it == Published::Confirmed), "{answers:?}");
    }

    async fn text(&self, sql: &str) -> String {
        let sql = sqlx::AssertSqlSafe(format!("select coalesce(({sql})::text, '')"));
        sqlx::query_scalar(sql).fetch_one(self.till.database.pool()).await.expect("a row")
    }

    async fn legs(&self) -> String {
        self.text("select string_agg(concat_ws(' ', state, code, detail), '; ') from leg").await
    }

    async fn until(&self, what: &str, sql: &str) {
        let began = Instant::now();
        while self.text(sql).await != "true" {
            assert!(began.elapsed() < PATIENCE, "it never came about that {what}: {}", self.legs().await);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Binds a queue to the events and the dead letters before the first of them.
async fn listen(connections: &Connections) {
    let channel = connections.publishing.try_channel().await.expect("a channel");
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    let declared = channel.queue_declare(EAR.into(), QueueDeclareOptions::durable(), arguments);
    declared.await.expect("a queue");
    for (exchange, key) in [(topology::EVENTS, "#"), (topology::DEAD_LETTERS, "")] {
        let (options, arguments) = (QueueBindOptions::default(), FieldTable::default());
        let bound = channel.queue_bind(EAR.into(), exchange.into(), key.into(), options, arguments);
        bound.await.expect("a binding");
    }
}

/// Every worker of the product that the walk needs.
fn start(
    connections: &Connections,
    till: &Till,
    stop: &CancellationToken,
) -> JoinSet<Result<(), workers::Error>> {
    let inbox = |queue| Inbox::open(connections, queue, BatchLimits::default());
    let (database, clock, vault) = (&till.database, &till.clock, &till.vault);
    let policy = PayoutPolicy {
        auto_approve_up_to: Money::parse("100.00", Currency::Cny).expect("an amount"),
        approvers: 1,
        calendar: Arc::new(Calendar::default()),
        bank_cut_offs: vec![NaiveTime::from_hms_opt(16, 30, 0).expect("a time of day")],
        ..PayoutPolicy::default()
    };
    let guard = holds::Guard { policy: policy.clone(), vault: vault.clone() };
    let rules = intake::Rules { policy: Policy::default(), proofs: Proofs::Off, vault: vault.clone() };
    let desk = Desk { policy, approval_wait: rules.policy.approval_wait, vault: vault.clone() };
    let mut running = JoinSet::new();
    macro_rules! run {
        ($duty:ident, $($first:expr),+) => {
            running.spawn(workers::$duty::run($($first),+, clock.clone(), stop.clone()))
        };
    }
    run!(facts, inbox(topology::FACTS), database.clone(), vault.clone());
    run!(intake, inbox(topology::REQUESTS), database.clone(), rules);
    run!(approval, inbox(topology::APPROVALS), database.clone(), desk.clone());
    run!(decisions, inbox(topology::DECISIONS), database.clone(), desk);
    run!(release, database.clone());
    run!(holds, database.clone(), guard);
    run!(expiry, database.clone());
    run!(relay, Publisher::new(connections), database.clone());
    let bank = inbox(topology::PAYOUT_BANK);
    running.spawn(workers::payout::run(bank, Rail::Bank, till.clone(), stop.clone()));
    running.spawn(workers::settle::run(till.clone(), stop.clone()));
    running
}

fn vault() -> Vault {
    let key = |byte| SecretBox::new(Box::new([byte; 32]));
    Vault::new(&[VaultKey { id: "test".to_owned(), bytes: key(1) }], &key(2)).expect("a ring with a key")
}

/// A program of the workspace, beside this test's folder.
pub(super) fn program(name: &str) -> PathBuf {
    let own = env::current_exe().expect("a test has a path");
    own.ancestors().nth(2).expect("tests lie in deps, below their profile").join(name)
}
