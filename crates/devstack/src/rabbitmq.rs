//! One RabbitMQ of our own, with a port mapper, a cookie and a name of its own.
//!
//! Nothing of it meets a RabbitMQ that the machine may run already: every file,
//! every port and the node's name are set, and the system's settings are not
//! read. It needs its own `epmd`, because the broker would otherwise start one
//! that is shared with everybody and never ends.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use nix::sys::signal::Signal;
use tokio::time::sleep;

use crate::answer;
use crate::child::{Child, guarded};
use crate::folder::Folder;
use crate::locate::{RabbitPrograms, SYSTEM_PATH};
use crate::options::{Management, Options};
use crate::ports::Ports;
use crate::server::Server;
use crate::vhost;

/// The broker listens on loopback only, and a scheduler without work sleeps at once: by
/// default it spins for a while, on a core that its neighbours here need.
const ERLANG_ARGUMENTS: &str =
    "-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +sbwtdcpu none +sbwtdio none";

/// How long a start may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(2);

/// The pause between two looks at a node that comes back.
const LOOK: Duration = Duration::from_millis(200);

/// The only user. The password is drawn at random for each stack.
pub(crate) const USER: &str = "outflow";

/// What a node must know to join the cluster of another one.
#[derive(Debug, Clone)]
pub struct Invitation {
    node: String,
    cookie: String,
    password: String,
    epmd: u16,
}

/// A RabbitMQ that can be stopped and started again on the same ports and data.
#[derive(Debug)]
pub struct RabbitMq {
    server: Server,
    programs: RabbitPrograms,
    home: PathBuf,
    ports: Ports,
    node: String,
    /// A node that joined another one uses that one's.
    epmd: Option<Child>,
    password: String,
    cookie: String,
    url: String,
    management_url: Option<String>,
}

impl RabbitMq {
    /// Makes a new node in `folder` and starts it.
    pub(crate) async fn create(
        folder: Arc<Folder>,
        programs: RabbitPrograms,
        ports: Ports,
        options: &Options,
    ) -> Result<Self> {
        let began = Instant::now();
        let home = folder.path().join("rabbitmq");
        let (ports, cookie, password) = match &options.join {
            Some(it) => (Ports { epmd: it.epmd, ..ports }, it.cookie.clone(), it.password.clone()),
            None => (ports, secret(), secret()),
        };
        write_home(&home, (&cookie, &password), ports, options)?;
        let server = Server::new("rabbitmq", "RabbitMQ", folder, home.with_file_name("rabbitmq.log"));
        let epmd = match options.join {
            Some(_) => None,
            None => Some(start_epmd(&server, &programs, ports.epmd)?),
        };
        let management_url = match options.management {
            Management::On => Some(format!("http://{USER}:{password}@127.0.0.1:{}", ports.management)),
            Management::Off => None,
        };
        let rabbitmq = Self {
            node: format!("outflow-{:08x}@localhost", rand::random::<u32>()),
            url: format!("amqp://{USER}:{password}@127.0.0.1:{}/%2f", ports.amqp),
            server,
            programs,
            home,
            ports,
            epmd,
            password,
            cookie,
            management_url,
        };
        let version = rabbitmq.start_and_ask().await?;
        rabbitmq.server.folder().write(|record| record.distribution = Some(ports.distribution))?;
        let (port, took) = (ports.amqp, began.elapsed().as_secs_f64());
        options.reporter.say(&format!("✓ RabbitMQ {version} on 127.0.0.1:{port} ({took:.1} s)"));
        Ok(rabbitmq)
    }

    /// The URL of its first virtual host, `/`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The URL of the management plug-in, with user and password, if it is on.
    #[must_use]
    pub fn management_url(&self) -> Option<&str> {
        self.management_url.as_deref()
    }

    /// Starts it again after [`stop`](Self::stop) or [`kill`](Self::kill): same
    /// ports, same data. Returns when it answers an AMQP header.
    ///
    /// # Errors
    /// When it runs already, or does not start; the message names its log.
    pub async fn start(&self) -> Result<()> {
        self.start_and_ask().await.map(drop)
    }

    /// Stops it properly, which takes some seconds.
    ///
    /// # Errors
    /// When it does not run.
    pub async fn stop(&self) -> Result<()> {
        self.server.end(Signal::SIGTERM).await
    }

    /// Kills it on the spot, as a power cut would.
    ///
    /// # Errors
    /// When it does not run.
    pub async fn kill(&self) -> Result<()> {
        self.server.end(Signal::SIGKILL).await
    }

    /// Has it believe that its memory is used up: it takes nothing from publishers
    /// until [`end_alarm`](Self::end_alarm).
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn alarm(&self) -> Result<()> {
        self.set_memory_limit("0.0").await
    }

    /// The opposite of [`alarm`](Self::alarm).
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn end_alarm(&self) -> Result<()> {
        self.set_memory_limit("0.4").await
    }

    /// The share of the machine's memory from which on it is used up; RabbitMQ's own is 0.4.
    async fn set_memory_limit(&self, share: &str) -> Result<()> {
        let expression = format!("ok = vm_memory_monitor:set_vm_memory_high_watermark({share}).\n");
        let folder = self.server.folder().path();
        let answer = vhost::tell(folder, self.ports.distribution, &expression).await?;
        ensure!(answer.trim() == "{ok, ok}", "the broker did not change its limit: {}", answer.trim());
        Ok(())
    }

    /// Cuts it off from `others`, as a network between them would that fails: both
    /// sides run on, and neither reaches the other.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn cut_off(&self, others: &[&Self]) -> Result<()> {
        // Whose cookie is another has to stay outside, whoever knocks.
        self.let_in(others, "cut_off").await
    }

    /// The opposite of [`cut_off`](Self::cut_off). Returns when it answers an AMQP header
    /// again: a node that was in the minority may have paused itself.
    ///
    /// # Errors
    /// When it does not answer, or does not come back.
    pub async fn rejoin(&self, others: &[&Self]) -> Result<()> {
        self.let_in(others, &self.cookie).await?;
        let began = Instant::now();
        while !self.answers().await {
            ensure!(began.elapsed() < PATIENCE, "the node {} does not come back", self.node);
            sleep(LOOK).await;
        }
        Ok(())
    }

    /// Whether it answers an AMQP header at this moment.
    pub async fn answers(&self) -> bool {
        answer::rabbitmq(self.ports.amqp).await.is_some()
    }

    /// Expects `cookie` of the others from now on, and ends what connects them.
    async fn let_in(&self, others: &[&Self], cookie: &str) -> Result<()> {
        let tell = |it: &&Self| {
            let node = &it.node;
            format!("erlang:set_cookie('{node}', '{cookie}'), erlang:disconnect_node('{node}'), ")
        };
        let expression: String = others.iter().map(tell).collect();
        let folder = self.server.folder().path();
        let answer = vhost::tell(folder, self.ports.distribution, &format!("{expression}ok.\n")).await?;
        ensure!(answer.trim() == "{ok, ok}", "the node {} was not told: {}", self.node, answer.trim());
        Ok(())
    }

    /// The ids of its processes at this moment, the port mapper's included.
    #[must_use]
    pub fn pids(&self) -> Vec<u32> {
        let mut pids = self.server.pids();
        let epmd = self.epmd.as_ref().filter(|it| it.status().is_none());
        pids.extend(epmd.map(|it| it.process.pid));
        pids
    }

    /// With which further nodes join its cluster.
    #[must_use]
    pub fn invitation(&self) -> Invitation {
        Invitation {
            node: self.node.clone(),
            cookie: self.cookie.clone(),
            password: self.password.clone(),
            epmd: self.ports.epmd,
        }
    }

    /// Its log.
    #[must_use]
    pub fn log(&self) -> &Path {
        self.server.log()
    }

    /// Starts it and returns the version it gives itself.
    async fn start_and_ask(&self) -> Result<String> {
        let port = self.ports.amqp;
        self.server.start(self.command()?, PATIENCE, async || answer::rabbitmq(port).await).await
    }

    /// The broker's command. `-noinput` makes the script become the broker
    /// itself, so that the child's id is the broker's.
    fn command(&self) -> Result<Command> {
        let mut command = guarded(&self.programs.server, None, Signal::SIGKILL)?;
        command.arg("-noinput").env("RABBITMQ_ALLOW_INPUT", "1");
        command.env("PATH", format!("{}:{SYSTEM_PATH}", self.programs.erlang.display()));
        command.env("HOME", &self.home).env("ERL_EPMD_PORT", self.ports.epmd.to_string());
        command.env("RABBITMQ_NODENAME", &self.node);
        command.env("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1");
        command.env("RABBITMQ_NODE_PORT", self.ports.amqp.to_string());
        command.env("RABBITMQ_DIST_PORT", self.ports.distribution.to_string());
        command.env("RABBITMQ_CONF_ENV_FILE", "/dev/null");
        command.env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", ERLANG_ARGUMENTS);
        for (name, file) in [
            ("RABBITMQ_MNESIA_BASE", "data"),
            ("RABBITMQ_LOG_BASE", "log"),
            ("RABBITMQ_PID_FILE", "rabbitmq.pid"),
            ("RABBITMQ_CONFIG_FILE", "rabbitmq.conf"),
            ("RABBITMQ_ADVANCED_CONFIG_FILE", "advanced.config"),
            ("RABBITMQ_ENABLED_PLUGINS_FILE", "enabled_plugins"),
            ("RABBITMQ_GENERATED_CONFIG_DIR", "config"),
            ("RABBITMQ_PLUGINS_EXPAND_DIR", "plugins"),
            ("RABBITMQ_FEATURE_FLAGS_FILE", "feature_flags"),
        ] {
            command.env(name, self.home.join(file));
        }
        // One log for everything, so that there is one file to read.
        command.env("RABBITMQ_LOGS", self.server.log());
        Ok(command)
    }
}

/// Starts the port mapper on loopback only, as a child and not as a daemon.
fn start_epmd(server: &Server, programs: &RabbitPrograms, port: u16) -> Result<Child> {
    let mut command = guarded(&programs.epmd, None, Signal::SIGKILL)?;
    command.args(["-address", "127.0.0.1", "-port", &port.to_string()]);
    server.spawn("epmd", command)
}

/// Writes what the node reads at its start.
fn write_home(home: &Path, (cookie, password): (&str, &str), ports: Ports, options: &Options) -> Result<()> {
    fs::create_dir(home)?;
    let plugins = match options.management {
        Management::On => "[rabbitmq_management].\n",
        Management::Off => "[].\n",
    };
    let conf = configuration(password, ports, options)?;
    for (file, text, mode) in [
        (".erlang.cookie", cookie, 0o400),
        ("rabbitmq.conf", conf.as_str(), 0o600),
        ("advanced.config", "[].\n", 0o600),
        ("enabled_plugins", plugins, 0o600),
    ] {
        let path = home.join(file);
        fs::write(&path, text)
            .and_then(|()| fs::set_permissions(&path, Permissions::from_mode(mode)))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    fs::set_permissions(home, Permissions::from_mode(0o700))
        .context("cannot close the broker's folder to others")
}

/// The text of `rabbitmq.conf`; the last line of a name counts.
fn configuration(password: &str, ports: Ports, options: &Options) -> Result<String> {
    let mut lines = vec![
        ("listeners.tcp.default".to_owned(), format!("127.0.0.1:{}", ports.amqp)),
        ("default_user".to_owned(), USER.to_owned()),
        ("default_pass".to_owned(), password.to_owned()),
        ("log.console".to_owned(), "false".to_owned()),
    ];
    if options.management == Management::On {
        lines.push(("management.tcp.ip".to_owned(), "127.0.0.1".to_owned()));
        lines.push(("management.tcp.port".to_owned(), ports.management.to_string()));
    }
    if let Some(it) = &options.join {
        lines.push(("cluster_formation.classic_config.nodes.1".to_owned(), it.node.clone()));
    }
    lines.extend(options.rabbitmq_settings.iter().cloned());
    let mut text = String::new();
    for (name, value) in lines {
        let is_line = !format!("{name}{value}").contains(['\n', '\r']);
        ensure!(is_line && !name.is_empty(), "{name:?} = {value:?} is no line of rabbitmq.conf");
        text.extend([&name, " = ", &value, "\n"]);
    }
    Ok(text)
}

/// 128 random bits as hexadecimal digits.
fn secret() -> String {
    format!("{:032x}", rand::random::<u128>())
}
