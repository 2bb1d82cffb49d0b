//! The servers, the simulator and the settings that a benchmark runs on.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use broker::{Connections, Outgoing, Published, Publisher, topology};
use chrono::{DateTime, Utc};
use devstack::{Environment, Options, Stack};
use serde::Deserialize;
use serde_json::Value;
use store::Database;
use store::verify::GatewayMovement;
use tempfile::TempDir;
use tokio::time::sleep;

use crate::programs::{Program, Running};
use crate::upstream::Plan;

/// Messages published in one go, and trades registered in one call.
const CHUNK: usize = 2_000;

/// How often a condition is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Whether both sides make and check signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signatures {
    Real,
    Unchecked,
}

/// Whether the gateways tell what became of a payment, or are only asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Notices {
    Sent,
    None,
}

/// Transactions that wrote something, and the rows that they wrote.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Written {
    pub(crate) commits: u64,
    pub(crate) rows: u64,
}

impl Written {
    /// What was written between two looks.
    pub(crate) fn since(self, before: Self) -> Self {
        Self { commits: self.commits - before.commits, rows: self.rows - before.rows }
    }
}

/// Everything but the workers.
pub(crate) struct Scene {
    /// The books.
    pub(crate) database: Database,
    /// RabbitMQ.
    pub(crate) connections: Connections,
    stack: Stack,
    simulator: Running,
    simulator_url: String,
    folder: TempDir,
}

impl Scene {
    /// Starts servers of its own, with their settings as they come: `fsync` and
    /// `synchronous_commit` are on.
    pub(crate) async fn build(signatures: Signatures, notices: Notices) -> Result<Self> {
        let options = Options { environment: Environment::Ignored, ..Options::default() };
        let stack = Stack::start(options.reporting_to(|line| println!("{line}"))).await?;
        let folder = tempfile::Builder::new().prefix("outflow-bench-").tempdir()?;
        let mut switches = vec!["--without", "limits"];
        if notices == Notices::None {
            switches.extend(["--without", "notices"]);
        }
        if signatures == Signatures::Unchecked {
            switches.extend(["--without", "signing"]);
        }
        let mut simulator = Program::simulator(folder.path(), &switches).start()?;
        let simulator_url = simulator.line_after("Listening on ").await?;
        println!("✓ simulator on {simulator_url}, signatures {signatures:?}, notices {notices:?}");
        let database = Database::connect(stack.database_url(), 4).await?;
        database.migrate().await?;
        let connections = Connections::open(stack.amqp_url(), "bench").await?;
        topology::apply(&connections).await?;
        let scene = Self { database, connections, stack, simulator, simulator_url, folder };
        scene.write_settings(signatures, notices)?;
        Ok(scene)
    }

    fn write_settings(&self, signatures: Signatures, notices: Notices) -> Result<()> {
        let key = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0";
        fs::write(self.folder.path().join("vault.key"), key)?;
        let (database, broker) = (self.stack.database_url(), self.stack.amqp_url());
        let url = &self.simulator_url;
        let signing = match signatures {
            Signatures::Real => "on",
            Signatures::Unchecked => "off",
        };
        let api =
            TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).context("a port for the API")?;
        let notify_url = match notices {
            Notices::Sent => format!("notify_url = \"http://{api}/v1/notices\"\n"),
            Notices::None => String::new(),
        };
        let text = format!(
            "profile = \"dev\"\n\
             [database]\nurl = \"{database}\"\n\
             [broker]\nurl = \"{broker}\"\n\
             [vault]\nkeys = [{{ id = \"bench\", file = \"vault.key\" }}]\nlookup_key_file = \"vault.key\"\n\
             [verification]\nrequired = false\n\
             [channels.alipay]\nrefund_spacing_seconds = 0\n[channels.wechat]\nrefund_spacing_seconds = 0\n\
             [gateways]\nkey_folder = \"gateway-keys\"\nbase_url = \"{url}\"\nsigning = \"{signing}\"\n{notify_url}\
             [api]\nlisten = \"{api}\"\n\
             [policy]\nmax_open_withdrawals = 1000000\n"
        );
        fs::write(self.settings_file(), text).context("writing the settings")
    }

    /// The settings of whoever works here.
    pub(crate) fn settings_file(&self) -> PathBuf {
        self.folder.path().join("outflow.toml")
    }

    /// The gateways' keys.
    pub(crate) fn keys(&self) -> PathBuf {
        self.folder.path().join("gateway-keys")
    }

    /// Where the books are.
    pub(crate) fn database_url(&self) -> &str {
        self.stack.database_url()
    }

    pub(crate) fn simulator_pid(&self) -> u32 {
        self.simulator.pid()
    }

    pub(crate) fn postgres_pids(&self) -> Vec<u32> {
        self.stack.postgres().map(devstack::Postgres::pids).unwrap_or_default()
    }

    pub(crate) fn rabbitmq_pids(&self) -> Vec<u32> {
        self.stack.rabbitmq().map(devstack::RabbitMq::pids).unwrap_or_default()
    }

    /// Publishes messages; every one is confirmed and in a queue afterwards.
    pub(crate) async fn publish(&self, messages: impl Iterator<Item = Outgoing>) -> Result<()> {
        let publisher = Publisher::new(&self.connections);
        let messages: Vec<Outgoing> = messages.collect();
        for chunk in messages.chunks(CHUNK) {
            let results = publisher.publish_all(chunk).await;
            let lost = results.iter().find(|it| **it != Published::Confirmed);
            ensure!(lost.is_none(), "a message was not confirmed: {lost:?}");
        }
        Ok(())
    }

    /// Tells the simulator of payments that it could have seen.
    pub(crate) async fn register_trades(&self, trades: &[Value]) -> Result<()> {
        let client = reqwest::Client::new();
        for chunk in trades.chunks(CHUNK) {
            let url = format!("{}/_sim/trades", self.simulator_url);
            let answer = client.post(url).json(chunk).send().await?;
            if !answer.status().is_success() {
                bail!("the simulator refused: {}", answer.text().await?);
            }
        }
        Ok(())
    }

    /// Accounts and their money, as the upstream would tell of them, and applied.
    pub(crate) async fn tell_facts(&self, plan: &Plan, patience: Duration) -> Result<()> {
        self.register_trades(&plan.trades()).await.context("telling the simulator of the payments")?;
        self.publish(plan.facts()).await.context("publishing the facts")?;
        let began = Instant::now();
        let worker = Program::outflow(&self.settings_file(), &["run", "facts"]).start()?;
        self.wait_for_top_ups(plan.top_ups(), patience).await?;
        let took = began.elapsed().as_secs_f64();
        worker.stop().await?;
        println!("✓ {} facts applied, the worker's start included ({took:.1} s)", plan.facts().count());
        Ok(())
    }

    /// The one number of a statement in which `{n}` stands for `n`.
    pub(crate) async fn count(&self, sql: &str, n: usize) -> Result<u64> {
        let sql = sqlx::AssertSqlSafe(sql.replace("{n}", &n.to_string()));
        let count: i64 = sqlx::query_scalar(sql).fetch_one(self.database.pool()).await?;
        Ok(u64::try_from(count)?)
    }

    /// What has been written so far.
    pub(crate) async fn written(&self) -> Result<Written> {
        let sql = "select pg_snapshot_xmax(pg_current_snapshot())::text::bigint, tup_inserted + tup_updated \
                   from pg_stat_database where datname = current_database()";
        let (commits, rows): (i64, i64) = sqlx::query_as(sql).fetch_one(self.database.pool()).await?;
        Ok(Written { commits: u64::try_from(commits)?, rows: u64::try_from(rows)? })
    }

    /// Calls of gateways so far.
    pub(crate) async fn calls(&self) -> Result<u64> {
        self.count("select count(*) from attempt", 0).await
    }

    /// Waits until that many top-ups are in the books.
    pub(crate) async fn wait_for_top_ups(&self, count: usize, patience: Duration) -> Result<()> {
        let began = Instant::now();
        loop {
            let there: i64 =
                sqlx::query_scalar("select count(*) from top_up").fetch_one(self.database.pool()).await?;
            if usize::try_from(there)? >= count {
                return Ok(());
            }
            ensure!(began.elapsed() < patience, "only {there} of {count} top-ups were booked");
            sleep(LOOK_EVERY).await;
        }
    }

    /// When the first request was taken from its queue.
    pub(crate) async fn first_taken(&self) -> Result<DateTime<Utc>> {
        let first = sqlx::query_scalar("select min(received_at) from withdrawal");
        Ok(first.fetch_one(self.database.pool()).await?)
    }

    /// The legs of each rail.
    pub(crate) async fn legs(&self) -> Result<Vec<(String, i64)>> {
        let legs = sqlx::query_as("select rail, count(*) from leg group by rail order by rail");
        Ok(legs.fetch_all(self.database.pool()).await?)
    }

    /// The settings of the database that make a commit durable.
    pub(crate) async fn servers(&self) -> Result<String> {
        let mut shown = Vec::new();
        for name in ["server_version", "fsync", "synchronous_commit"] {
            let value = sqlx::query_scalar("select current_setting($1)").bind(name);
            let value: String = value.fetch_one(self.database.pool()).await?;
            shown.push(format!("{name} {value}"));
        }
        Ok(shown.join(", "))
    }

    /// The simulator's own book.
    pub(crate) async fn movements(&self) -> Result<Vec<GatewayMovement>> {
        #[derive(Deserialize)]
        struct Book {
            movements: Vec<Movement>,
        }
        #[derive(Deserialize)]
        struct Movement {
            number: String,
            amount_fen: i64,
            kind: String,
        }
        let book: Book = reqwest::get(format!("{}/_sim/book", self.simulator_url)).await?.json().await?;
        let movement = |it: Movement| {
            let kind = match it.kind.as_str() {
                "payout" => "payout",
                "return" => "return",
                other => bail!("a movement of the kind {other:?}"),
            };
            Ok(GatewayMovement { payout_no: it.number, amount: it.amount_fen, kind })
        };
        book.movements.into_iter().map(movement).collect()
    }

    /// Ends everything and removes it.
    pub(crate) async fn strike(self) -> Result<()> {
        self.database.close().await;
        self.simulator.stop().await?;
        self.stack.stop().await?;
        self.folder.close().context("removing the temporary folder")
    }
}
