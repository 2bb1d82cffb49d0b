//! A whole stack: where its servers come from, and what its owner does with it.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};

use crate::database;
use crate::folder::Folder;
use crate::install::{self, Missing};
use crate::locate;
use crate::options::{Environment, Options};
use crate::ports::Ports;
use crate::postgres::Postgres;
use crate::rabbitmq::RabbitMq;
use crate::vhost;

/// Where a PostgreSQL is that shall be used instead of an own one.
pub const DATABASE_URL: &str = "OUTFLOW_DATABASE_URL";

/// Where a RabbitMQ is that shall be used instead of an own one.
pub const AMQP_URL: &str = "OUTFLOW_AMQP_URL";

/// The folder of the stack that the two URLs lead to, if they lead to one:
/// processes that did not start it can then have virtual hosts of their own.
pub const FOLDER: &str = "OUTFLOW_DEVSTACK";

/// Where one server comes from.
#[derive(Debug)]
enum Source<S> {
    /// We started it.
    Own(S),
    /// The environment named it.
    Given(String),
    /// It was not asked for.
    Absent,
}

/// A PostgreSQL and a RabbitMQ to use and throw away.
///
/// [`stop`](Self::stop) it at the end, also at Ctrl-C. Dropping it does the same
/// and blocks the thread for a moment. If the process is killed, the servers
/// end with it, and the next start of any stack removes the folder.
#[derive(Debug)]
pub struct Stack {
    postgres: Source<Postgres>,
    rabbitmq: Source<RabbitMq>,
    folder: Option<Arc<Folder>>,
}

impl Stack {
    /// Uses the servers that the environment names, and starts the others.
    ///
    /// # Errors
    /// When a server is missing and may not or cannot be installed, or does not
    /// start. The message says what failed, where its log is and what to do.
    pub async fn start(options: Options) -> Result<Self> {
        let given = |name| match options.environment {
            Environment::First => env::var(name).ok().filter(|url| !url.is_empty()),
            Environment::Ignored => None,
        };
        let database = given(DATABASE_URL).filter(|_| options.servers.postgres());
        let amqp = given(AMQP_URL).filter(|_| options.servers.rabbitmq());
        for (name, url) in [(DATABASE_URL, &database), (AMQP_URL, &amqp)] {
            if url.is_some() {
                options.reporter.say(&format!("✓ using the server that {name} names"));
            }
        }
        let own_postgres = options.servers.postgres() && database.is_none();
        let own_rabbitmq = options.servers.rabbitmq() && amqp.is_none();
        let mut stack = Self {
            postgres: database.map_or(Source::Absent, Source::Given),
            rabbitmq: amqp.map_or(Source::Absent, Source::Given),
            folder: None,
        };
        let wanted = [own_postgres.then_some(Missing::Postgres), own_rabbitmq.then_some(Missing::RabbitMq)];
        let wanted: Vec<Missing> = wanted.into_iter().flatten().collect();
        if !wanted.is_empty() {
            stack.start_own(&wanted, &options).await?;
        }
        Ok(stack)
    }

    /// Starts the servers in `wanted`, both at the same time.
    async fn start_own(&mut self, wanted: &[Missing], options: &Options) -> Result<()> {
        install::what_is_missing(wanted, options).await?;
        let reporter = options.reporter.clone();
        let created = tokio::task::spawn_blocking(move || Folder::create(&reporter)).await;
        let (folder, ports) = created.context("the folder's thread panicked")??;
        let folder = Arc::new(folder);
        self.folder = Some(Arc::clone(&folder));
        let postgres = async {
            if wanted.contains(&Missing::Postgres) {
                self.postgres = Source::Own(create_postgres(&folder, ports, options).await?);
            }
            Ok(())
        };
        let rabbitmq = async {
            if wanted.contains(&Missing::RabbitMq) {
                self.rabbitmq = Source::Own(create_rabbitmq(&folder, ports, options).await?);
            }
            anyhow::Ok(())
        };
        let started = tokio::try_join!(postgres, rabbitmq);
        if started.is_err() {
            folder.keep();
        }
        started.map(drop)
    }

    /// The URL of the database.
    ///
    /// # Panics
    /// When the stack was started without PostgreSQL.
    #[must_use]
    pub fn database_url(&self) -> &str {
        match &self.postgres {
            Source::Own(postgres) => postgres.url(),
            Source::Given(url) => url,
            Source::Absent => panic!("the stack was started without PostgreSQL"),
        }
    }

    /// The URL of the broker's first virtual host.
    ///
    /// # Panics
    /// When the stack was started without RabbitMQ.
    #[must_use]
    pub fn amqp_url(&self) -> &str {
        match &self.rabbitmq {
            Source::Own(rabbitmq) => rabbitmq.url(),
            Source::Given(url) => url,
            Source::Absent => panic!("the stack was started without RabbitMQ"),
        }
    }

    /// The URL of the management plug-in of an own broker, if it is on.
    #[must_use]
    pub fn management_url(&self) -> Option<&str> {
        match &self.rabbitmq {
            Source::Own(rabbitmq) => rabbitmq.management_url(),
            _ => None,
        }
    }

    /// Creates an empty database and returns its URL. `prefix` (a-z, 0-9 and _,
    /// at most 40) begins its name, and the rest is unique.
    ///
    /// Works on a server that the environment names too. The database goes when
    /// its server goes: on a server that stays, it stays.
    ///
    /// # Errors
    /// When `psql` is missing or the server refuses.
    ///
    /// # Panics
    /// When the stack was started without PostgreSQL.
    pub async fn fresh_database(&self, prefix: &str) -> Result<String> {
        database::create_fresh(self.database_url(), prefix).await
    }

    /// Creates an empty virtual host and returns its URL.
    ///
    /// On a broker that the environment names this needs `OUTFLOW_DEVSTACK` too,
    /// see [`environment`](Self::environment). Without it the broker is a
    /// stranger, and its own URL is returned: what is declared there is shared
    /// with everyone who uses it.
    ///
    /// # Errors
    /// When the broker does not answer.
    ///
    /// # Panics
    /// When the stack was started without RabbitMQ.
    pub async fn fresh_vhost(&self) -> Result<String> {
        let url = self.amqp_url();
        match self.broker_folder() {
            Some(folder) => vhost::create_fresh(&folder, url).await,
            None => Ok(url.to_owned()),
        }
    }

    /// Has the broker import definitions in JSON, as `rabbitmqctl import_definitions` does.
    ///
    /// # Errors
    /// When the broker is a stranger, does not answer, or does not take them.
    pub async fn import_definitions(&self, definitions: &str) -> Result<()> {
        let folder = self.broker_folder().context("the broker is not a stack's")?;
        vhost::import(&folder, definitions).await
    }

    /// The folder of the stack that the broker belongs to.
    fn broker_folder(&self) -> Option<PathBuf> {
        match &self.rabbitmq {
            Source::Own(_) => self.folder.as_ref().map(|folder| folder.path().to_path_buf()),
            _ => env::var_os(FOLDER).map(PathBuf::from),
        }
    }

    /// What a wrapper sets for other processes, for example for all tests of a
    /// run, so that they share this stack: the URLs, and the stack's folder.
    #[must_use]
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let mut entries = Vec::new();
        if !matches!(self.postgres, Source::Absent) {
            entries.push((DATABASE_URL, self.database_url().to_owned()));
        }
        if !matches!(self.rabbitmq, Source::Absent) {
            entries.push((AMQP_URL, self.amqp_url().to_owned()));
        }
        if let (Source::Own(_), Some(folder)) = (&self.rabbitmq, &self.folder) {
            entries.push((FOLDER, folder.path().display().to_string()));
        }
        entries
    }

    /// Our own PostgreSQL, to stop and start it.
    ///
    /// # Errors
    /// When it is not ours, or there is none.
    pub fn postgres(&self) -> Result<&Postgres> {
        match &self.postgres {
            Source::Own(postgres) => Ok(postgres),
            Source::Given(_) => bail!("PostgreSQL comes from {DATABASE_URL} and is not ours to control"),
            Source::Absent => bail!("the stack was started without PostgreSQL"),
        }
    }

    /// Our own RabbitMQ, to stop, kill and start it.
    ///
    /// # Errors
    /// When it is not ours, or there is none.
    pub fn rabbitmq(&self) -> Result<&RabbitMq> {
        match &self.rabbitmq {
            Source::Own(rabbitmq) => Ok(rabbitmq),
            Source::Given(_) => bail!("RabbitMQ comes from {AMQP_URL} and is not ours to control"),
            Source::Absent => bail!("the stack was started without RabbitMQ"),
        }
    }

    /// The folder with everything of our own servers; `None` if there are none.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_ref().map(|folder| folder.path())
    }

    /// Ends our own servers, in well under a second, and removes the folder.
    /// Servers that the environment named are left alone.
    ///
    /// # Errors
    /// When the thread that does it panics.
    pub async fn stop(&self) -> Result<()> {
        let Some(folder) = self.folder.clone() else { return Ok(()) };
        tokio::task::spawn_blocking(move || folder.dispose()).await.context("the folder's thread panicked")
    }
}

/// Creates PostgreSQL with the programs that are there by now.
async fn create_postgres(folder: &Arc<Folder>, ports: Ports, options: &Options) -> Result<Postgres> {
    let programs = locate::postgres().context("PostgreSQL's programs have vanished")?;
    Postgres::create(Arc::clone(folder), programs, ports.postgres, options).await
}

/// Creates RabbitMQ with the programs that are there by now.
async fn create_rabbitmq(folder: &Arc<Folder>, ports: Ports, options: &Options) -> Result<RabbitMq> {
    let programs = locate::rabbitmq().context("RabbitMQ's programs have vanished")?;
    RabbitMq::create(Arc::clone(folder), programs, ports, options).await
}
