//! Servers, queues, keys and a simulator of one's own: what `demo` and `dev` stand on.
//!
//! Everything goes through a settings file that is written here and read like
//! any other, so that a second terminal can use the same one.

mod file;

pub(crate) use file::UPSTREAM_KEY;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result};
use broker::{Connections, topology};
use devstack::{Install, Options, Stack};
use secrecy::ExposeSecret;
use simulator::{Callbacks, SimClock, Simulator};
use tempfile::TempDir;

use crate::settings::Settings;
use crate::wiring;

/// How strict requests are about the proof of R10.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof {
    /// As in production.
    Required,
    /// Messages may be written by hand.
    NotAsked,
}

/// What a stage shall be like.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// Whether missing servers may be installed.
    pub(crate) install: Install,
    /// The simulator's clock.
    pub(crate) clock: SimClock,
    /// R10.
    pub(crate) proof: Proof,
    /// Who hears about progress: one line at a time.
    pub(crate) say: fn(&str),
}

/// Servers that run, with an empty schema and all queues.
pub(crate) struct Stage {
    stack: Stack,
    /// The gateways.
    pub(crate) simulator: simulator::Running,
    /// The settings of whoever works on this stage.
    pub(crate) settings: Settings,
    /// Where the gateways' notices arrive, open before anybody answers there.
    door: Option<Arc<TcpListener>>,
    folder: Home,
}

/// Where the settings, the keys and the book are.
enum Home {
    /// With our own servers: it goes when they go, also after a crash.
    Servers(PathBuf),
    /// By itself, next to servers that are not ours.
    Alone(TempDir),
}

impl Home {
    /// Moves what was made while the servers started to its place.
    fn settle(made: TempDir, stack: &Stack) -> Result<Self> {
        let Some(servers) = stack.folder() else { return Ok(Self::Alone(made)) };
        let home = servers.join("stage");
        std::fs::rename(made.path(), &home).context("moving the keys next to the servers")?;
        // The folder of this name is gone; its handle must not look for it.
        let _ = made.keep();
        Ok(Self::Servers(home))
    }

    fn path(&self) -> &Path {
        match self {
            Self::Servers(path) => path,
            Self::Alone(folder) => folder.path(),
        }
    }
}

impl Stage {
    /// Starts everything. What was started goes away when this is dropped.
    ///
    /// # Errors
    /// When a server is missing and may not be installed, or does not start.
    pub(crate) async fn build(plan: &Plan) -> Result<Self> {
        let made =
            tempfile::Builder::new().prefix("outflow-stage-").tempdir().context("a temporary folder")?;
        let keys = made.path().join("gateway-keys");
        // Keys take a second of one core, during which the servers start.
        let generated = tokio::task::spawn_blocking(move || simulator::Keys::generate(&keys));
        let say = plan.say;
        let options = Options { install: plan.install, ..Options::default() }.reporting_to(say);
        let stack = Stack::start(options).await?;
        let (database_url, amqp_url) = places(&stack).await?;
        generated.await.context("making keys broke down")?.context("making the gateways' keys")?;
        let folder = Home::settle(made, &stack)?;
        let keys = folder.path().join("gateway-keys");
        let (door, api) = door().context("a port for the API")?;
        let notify_url = format!("http://{api}/v1/notices");
        let began = Instant::now();
        let simulator = Simulator::start(simulator::Options {
            clock: plan.clock.clone(),
            callbacks: Callbacks {
                alipay: Some(format!("{notify_url}/alipay")),
                bank: Some(format!("{notify_url}/bank")),
            },
            ..simulator::Options::on_loopback(keys, folder.path().join("gateway-book.jsonl"))
        })
        .await
        .context("starting the gateway simulator")?;
        say(&tick("four gateways", simulator.base_url(), began));
        let written = file::Written {
            database_url,
            amqp_url,
            simulator_url: simulator.base_url().to_owned(),
            notify_url,
            api,
            proof: plan.proof,
        };
        let settings = Settings::read(&written.put(folder.path())?)?;
        let stage = Self { stack, simulator, settings, door: Some(Arc::new(door)), folder };
        stage.prepare(say).await?;
        Ok(stage)
    }

    /// The schema and the queues.
    async fn prepare(&self, say: fn(&str)) -> Result<()> {
        let began = Instant::now();
        let database = wiring::database(&self.settings).await?;
        database.migrate().await.context("migrating the database")?;
        database.close().await;
        say(&tick("schema", "migrated", began));
        let began = Instant::now();
        let connections: Connections = wiring::broker(&self.settings, "outflow stage").await?;
        topology::apply(&connections).await.context("declaring exchanges and queues")?;
        let what =
            format!("{} quorum queues, {} exchanges", topology::QUEUES.len(), topology::EXCHANGES.len());
        say(&tick("topology", &what, began));
        Ok(())
    }

    /// The open door of the API, for whoever answers there.
    pub(crate) fn door(&self) -> Option<Arc<TcpListener>> {
        self.door.clone()
    }

    /// Leaves the API's address to a process of another terminal.
    pub(crate) fn close_door(&mut self) {
        self.door = None;
    }

    /// The settings file.
    pub(crate) fn settings_file(&self) -> PathBuf {
        file::in_folder(self.folder.path())
    }

    /// The folder with the settings file, the keys and the simulator's book.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What a shell sets so that every command works on this stage.
    ///
    /// # Errors
    /// Never for a stage that was built: it has both addresses.
    pub(crate) fn environment(&self) -> Result<Vec<(&'static str, String)>> {
        Ok(vec![
            ("OUTFLOW_CONFIG", self.settings_file().display().to_string()),
            ("OUTFLOW_DATABASE_URL", self.settings.database_url()?.expose_secret().to_owned()),
            ("OUTFLOW_AMQP_URL", self.settings.broker_url()?.expose_secret().to_owned()),
            ("OUTFLOW_API_URL", format!("http://{}", self.settings.api.listen)),
        ])
    }

    /// Ends the simulator and our own servers, and removes every trace.
    ///
    /// # Errors
    /// When a server cannot be ended.
    pub(crate) async fn strike(self) -> Result<()> {
        self.simulator.stop().await;
        self.stack.stop().await?;
        match self.folder {
            Home::Servers(_) => Ok(()),
            Home::Alone(folder) => folder.close().context("removing the temporary folder"),
        }
    }
}

/// A database and a virtual host that nobody else uses: the ones of our own
/// servers, or new ones on servers that the environment names.
async fn places(stack: &Stack) -> Result<(String, String)> {
    let database = match stack.postgres() {
        Ok(_) => stack.database_url().to_owned(),
        Err(_) => stack.fresh_database("outflow").await.context("creating a database")?,
    };
    let amqp = match stack.rabbitmq() {
        Ok(_) => stack.amqp_url().to_owned(),
        Err(_) => stack.fresh_vhost().await.context("creating a virtual host")?,
    };
    Ok((database, amqp))
}

/// A port that is ours from now on: the gateways must know it before anything runs.
fn door() -> std::io::Result<(TcpListener, SocketAddr)> {
    let door = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    door.set_nonblocking(true)?;
    let address = door.local_addr()?;
    Ok((door, address))
}

/// A line about something that is there now.
pub(crate) fn tick(what: &str, detail: &str, began: Instant) -> String {
    format!("✓ {what}: {detail} ({:.1} s)", began.elapsed().as_secs_f32())
}
