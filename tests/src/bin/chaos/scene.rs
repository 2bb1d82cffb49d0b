//! Everything of one run but the workers: a database, a virtual host, a simulator,
//! and a network between them that can be spoiled.

use std::fs;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use ::tests::proxy::{Proxy, Wire};
use anyhow::{Context, Result, bail, ensure};
use broker::{Connections, topology};
use reqwest::Client;
use serde_json::{Value, json};
use store::Database;
use tokio::process::Command;
use tokio::task::JoinHandle;
use tokio::time::{interval, sleep, timeout};

use crate::fleet::{Orders, product};
use crate::process::{Process, beside};
use crate::servers::Servers;
use crate::time::Time;

/// How often the simulator's clock is set.
const TICK: Duration = Duration::from_millis(100);

/// How long the simulator may take to make its keys and answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often the API is started until a server that is away has come back.
const STARTS: usize = 60;

/// The pause between two starts.
const PAUSE: Duration = Duration::from_millis(500);

/// Trades registered in one call.
const CHUNK: usize = 2_000;

/// Where a run happens.
pub(crate) struct Scene {
    /// The books, past every fault of the network.
    pub(crate) database: Database,
    /// The broker, likewise.
    pub(crate) connections: Connections,
    /// The ways of the workers to their servers.
    pub(crate) ways: Ways,
    /// Whose time it is.
    pub(crate) time: Arc<Time>,
    /// Where everything of this run lies.
    pub(crate) folder: PathBuf,
    /// The simulator's address.
    pub(crate) simulator_url: String,
    /// Where the API listens.
    pub(crate) door: SocketAddr,
    /// The database as the workers reach it, without a user.
    nobody: String,
    /// What the names of their roles begin with.
    roles: String,
    http: Client,
    simulator: Process,
    api: Option<Process>,
    ticker: JoinHandle<()>,
}

/// The network between the workers and what they talk to.
#[derive(Debug, Clone)]
pub(crate) struct Ways {
    pub(crate) database: Proxy,
    pub(crate) broker: Proxy,
    pub(crate) gateways: Proxy,
}

impl Ways {
    /// Fair weather everywhere.
    pub(crate) fn calm(&self) {
        for way in [&self.database, &self.broker, &self.gateways] {
            way.calm();
        }
    }
}

impl Scene {
    /// Builds it in `folder`, which is emptied, on servers that run.
    pub(crate) async fn build(servers: &Servers, folder: &Path) -> Result<Self> {
        if folder.exists() {
            fs::remove_dir_all(folder).with_context(|| format!("emptying {}", folder.display()))?;
        }
        fs::create_dir_all(folder)?;
        let database_url = servers.stack().fresh_database("chaos").await?;
        let amqp_url = servers.stack().fresh_vhost().await?;
        let nodes = servers.amqp_urls().into_iter().map(host_of).collect::<Result<Vec<_>>>()?;
        let database = Database::connect(&database_url, 6).await?;
        database.migrate().await?;
        let roles = database_url.rsplit('/').next().context("a URL has a path")?.to_owned();
        let sql = sqlx::AssertSqlSafe(store::roles::sql(&roles));
        sqlx::raw_sql(sql).execute(database.pool()).await.context("the roles of the workers")?;
        // A way of our own, in fair weather always: it leads to whichever node is up.
        let own = Proxy::open(nodes.clone(), Wire::Amqp).await?;
        let connections = Connections::open(&through(&amqp_url, own.address()), "chaos").await?;
        topology::apply(&connections).await?;

        let time = Arc::new(Time::new(folder));
        let door = free_address()?;
        let (simulator, simulator_url) = start_simulator(folder, &time, door).await?;
        let ways = Ways {
            database: Proxy::open(vec![host_of(&database_url)?], Wire::Postgres).await?,
            broker: Proxy::open(nodes, Wire::Amqp).await?,
            gateways: Proxy::open(vec![host_of(&simulator_url)?], Wire::Http).await?,
        };
        let urls = [
            (&database_url, ways.database.address()),
            (&amqp_url, ways.broker.address()),
            (&simulator_url, ways.gateways.address()),
        ];
        let urls = urls.map(|(url, proxy)| through(url, proxy));
        let nobody = without_user(&urls[0]);
        write_settings(folder, &urls, door)?;
        let http = Client::builder().timeout(PATIENCE).build()?;
        let ticker = tokio::spawn(tick(http.clone(), simulator_url.clone(), Arc::clone(&time)));
        let folder = folder.to_path_buf();
        let mut scene = Self {
            database,
            connections,
            ways,
            time,
            folder,
            simulator_url,
            door,
            nobody,
            roles,
            http,
            simulator,
            api: None,
            ticker,
        };
        scene.api = Some(scene.start_api().await?);
        Ok(scene)
    }

    /// What the workers of this scene are told.
    pub(crate) fn orders(&self, planted: Option<&'static str>) -> Orders {
        Orders {
            settings: self.folder.join("outflow.toml"),
            log: self.folder.join("workers.log"),
            hits: self.folder.join("hits.txt"),
            planted,
            database: self.nobody.clone(),
            roles: self.roles.clone(),
        }
    }

    /// The API takes the gateways' notices. Its clock is right: notices are signed by it.
    /// Whoever starts while a server is away gives up, and is started again.
    async fn start_api(&self) -> Result<Process> {
        let orders = self.orders(None);
        let mut last = None;
        for _ in 0..STARTS {
            let mut command = product(&orders.settings);
            command.args(["run", "api"]).env("OUTFLOW_DATABASE_URL", orders.database_of("api"));
            command.stdout(Stdio::piped());
            let mut api = Process::start(command, "api", &orders.log)?;
            match api.line_after("Listening on ").await {
                Ok(_) => return Ok(api),
                Err(error) => last = Some(error),
            }
            sleep(PAUSE).await;
        }
        Err(last.context("the API was never started")?)
    }

    /// Starts the API again if it has ended.
    pub(crate) async fn revive_api(&mut self) -> Result<()> {
        let Some(api) = &mut self.api else { return Ok(()) };
        if let Some(status) = api.ended()? {
            println!("  the API ended unasked ({status}) and is started again");
            self.api = Some(self.start_api().await?);
        }
        Ok(())
    }

    /// Kills the API and starts it again.
    pub(crate) async fn kill_api(&mut self) -> Result<()> {
        if let Some(mut api) = self.api.take() {
            api.kill().await?;
        }
        self.api = Some(self.start_api().await?);
        Ok(())
    }

    /// Tells the simulator of payments that it could have seen.
    pub(crate) async fn register(&self, trades: &[Value]) -> Result<()> {
        for chunk in trades.chunks(CHUNK) {
            let body = serde_json::to_string(chunk)?;
            self.tell("/_sim/trades", body).await.context("telling the simulator of payments")?;
        }
        Ok(())
    }

    /// Has the simulator play a scenario from now on.
    pub(crate) async fn play(&self, scenario: &str) -> Result<()> {
        self.tell("/_sim/scenario", scenario.to_owned()).await.context("the scenario")
    }

    async fn tell(&self, path: &str, body: String) -> Result<()> {
        let answer = self.http.post(format!("{}{path}", self.simulator_url)).body(body).send().await?;
        if !answer.status().is_success() {
            bail!("the simulator refused: {}", answer.text().await?);
        }
        Ok(())
    }

    /// What the simulator says at a path.
    pub(crate) async fn ask(&self, path: &str) -> Result<Value> {
        let answer = self.http.get(format!("{}{path}", self.simulator_url)).send().await?;
        Ok(answer.error_for_status()?.json().await?)
    }

    /// Ends what runs. The folder stays: it is the trace of the run.
    pub(crate) async fn strike(mut self) -> Result<()> {
        self.ticker.abort();
        ensure!(self.simulator.ended()?.is_none(), "the simulator ended unasked");
        self.database.close().await;
        if let Some(mut api) = self.api {
            api.kill().await?;
        }
        self.simulator.stop().await
    }
}

async fn start_simulator(folder: &Path, time: &Time, door: SocketAddr) -> Result<(Process, String)> {
    let mut command = Command::new(beside("gateway-simulator"));
    command.args(["--listen", "127.0.0.1:0", "--without", "limits"]);
    // A channel that pays a repeated number again: it must never meet one.
    command.args(["--no-dedup", "unionpay", "--clock", &time.now().to_rfc3339()]);
    command.arg("--keys").arg(keys(folder)).arg("--book").arg(folder.join("book.jsonl"));
    for channel in ["alipay", "bank"] {
        command.arg(format!("--{channel}-callback")).arg(format!("http://{door}/v1/notices/{channel}"));
    }
    command.stdout(Stdio::piped());
    let mut simulator = Process::start(command, "simulator", &folder.join("simulator.log"))?;
    let (url, _) = simulator.line_after("Listening on ").await?;
    Ok((simulator, url))
}

/// An address without the user in front of its host.
fn without_user(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let place = rest.split_once('@').map_or(rest, |(_, place)| place);
    format!("{scheme}://{place}")
}

/// Sets the simulator's clock, for as long as the run lasts.
async fn tick(http: Client, url: String, time: Arc<Time>) {
    let mut ticks = interval(TICK);
    loop {
        ticks.tick().await;
        let body = json!({ "now": time.now().to_rfc3339() }).to_string();
        // One that is missed is made good by the next.
        let _ = http.post(format!("{url}/_sim/clock")).body(body).send().await;
    }
}

fn write_settings(folder: &Path, [database, broker, gateways]: &[String; 3], door: SocketAddr) -> Result<()> {
    let key = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0";
    fs::write(folder.join("vault.key"), key)?;
    let half_hours = (0..48).map(|it| format!("\"{:02}:{:02}\"", it / 2, it % 2 * 30));
    let cut_offs: Vec<String> = half_hours.collect();
    let text = format!(
        "profile = \"dev\"\n\
         [database]\nurl = \"{database}\"\nconnections = 4\n\
         [broker]\nurl = \"{broker}\"\n\
         [vault]\nkeys = [{{ id = \"chaos\", file = \"vault.key\" }}]\nlookup_key_file = \"vault.key\"\n\
         [verification]\nrequired = false\n\
         [channels.alipay]\nrefund_spacing_seconds = 0\n[channels.wechat]\nrefund_spacing_seconds = 0\n\
         [gateways]\nkey_folder = \"{}\"\nbase_url = \"{gateways}\"\n\
         notify_url = \"http://{door}/v1/notices\"\ncall_seconds = 3\n\
         [policy]\nmax_open_withdrawals = 1000\nbank_cut_offs = [{}]\n\
         [api]\nlisten = \"{door}\"\n",
        keys(folder).display(),
        cut_offs.join(", ")
    );
    fs::write(folder.join("outflow.toml"), text).context("writing the settings")
}

/// The gateways' keys, which all runs of this program share: making some takes a second.
fn keys(folder: &Path) -> PathBuf {
    folder.with_file_name("gateway-keys")
}

/// A port that is free now.
fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// `host:port` of a URL.
fn authority(url: &str) -> Option<&str> {
    let after = url.split_once("://")?.1;
    let authority = after.split(['/', '?']).next()?;
    Some(authority.rsplit('@').next().unwrap_or(authority))
}

fn host_of(url: &str) -> Result<SocketAddr> {
    let mut addresses = authority(url).context("a URL with a host")?.to_socket_addrs()?;
    addresses.next().context("a host with an address")
}

/// The same URL, by way of the proxy.
fn through(url: &str, proxy: SocketAddr) -> String {
    authority(url).map_or_else(|| url.to_owned(), |it| url.replacen(it, &proxy.to_string(), 1))
}

/// Repeats `ask` until it has an answer: servers of a run go away and come back.
pub(crate) async fn eventually<T, E: std::fmt::Display>(
    what: &str,
    mut ask: impl AsyncFnMut() -> Result<T, E>,
) -> Result<T> {
    let mut last = String::new();
    for _ in 0..120 {
        match timeout(PATIENCE, ask()).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => last = error.to_string(),
            Err(_) => "no answer".clone_into(&mut last),
        }
        sleep(Duration::from_millis(500)).await;
    }
    bail!("{what}: {last}")
}

#[cfg(test)]
mod tests {
    use super::{authority, through};

    #[test]
    fn a_url_is_led_through_the_proxy() {
        let proxy = "127.0.0.1:9".parse().expect("an address");
        for (url, host, led) in [
            ("postgres://u@127.0.0.1:5/d", "127.0.0.1:5", "postgres://u@127.0.0.1:9/d"),
            (
                "amqp://u:p@127.0.0.1:5/t-1?heartbeat=3",
                "127.0.0.1:5",
                "amqp://u:p@127.0.0.1:9/t-1?heartbeat=3",
            ),
            ("http://127.0.0.1:5", "127.0.0.1:5", "http://127.0.0.1:9"),
        ] {
            assert_eq!((authority(url), through(url, proxy).as_str()), (Some(host), led), "{url}");
        }
    }
}
