//! Connections to RabbitMQ that come back by themselves.
//!
//! The recovery built into lapin is off: after a broker was killed it took 12 s
//! longer than the broker to come back, and confirms in flight never ended. Here
//! a dead connection is thrown away and a new one is made, with growing delays.
//!
//! An address that begins with `amqps` is spoken to in TLS alone. Its parameter
//! `cacertfile`, as in RabbitMQ's own addresses, names the certificates of the
//! authority that signed the broker's, beside those that the system trusts.

use std::sync::Arc;
use std::time::Duration;

use backoff::ExponentialBackoff;
use backoff::backoff::Backoff;
use lapin::tcp::OwnedTLSConfig;
use lapin::uri::AMQPUri;
use lapin::{Channel, Connection, ConnectionProperties, ErrorKind};
use tokio::sync::Mutex;
use tokio::time::timeout;
use tracing::{info, warn};

/// A broker that is silent for twice as long is gone.
const HEARTBEAT_SECONDS: u16 = 10;

/// How long one attempt to connect, or to open a channel, may take.
const ATTEMPT: Duration = Duration::from_secs(10);

/// What a caller can do about a broker that said no.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is no AMQP URL. Only another setting helps. The address is
    /// not repeated, because it holds a password.
    #[error("the broker's address is not an AMQP URL")]
    Address,
    /// The certificates that the address names cannot be read. Only another setting
    /// helps, or the file.
    #[error("the certificates that `cacertfile` of the broker's address names, {file}, cannot be read")]
    Certificates {
        /// The file.
        file: String,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The broker is away or the connection broke. Try again later.
    #[error("the broker is unavailable")]
    Unavailable(#[source] lapin::Error),
    /// The broker didn't answer in time. Try again later.
    #[error("the broker did not answer within {0:?}")]
    Silent(Duration),
    /// The broker understood and refused: credentials, permissions, or a queue
    /// with other arguments. Trying again cannot help.
    #[error("the broker refused")]
    Refused(#[source] lapin::Error),
}

impl Error {
    /// A queue or an exchange is not there: nobody declared them yet.
    #[must_use]
    pub fn lacks_topology(&self) -> bool {
        matches!(self, Self::Refused(error) if refusal(error) == Some(NOT_FOUND))
    }
}

impl From<lapin::Error> for Error {
    fn from(error: lapin::Error) -> Self {
        // AMQP reply codes: 320 is a broker that is being stopped, 5xx are faults.
        match refusal(&error) {
            Some(code) if (400..500).contains(&code) || code == 530 => Self::Refused(error),
            _ => Self::Unavailable(error),
        }
    }
}

/// The AMQP reply code of what is not there.
pub(crate) const NOT_FOUND: u16 = 404;

/// The AMQP reply code of an answer of the broker's.
pub(crate) fn refusal(error: &lapin::Error) -> Option<u16> {
    match error.kind() {
        ErrorKind::ProtocolError(error) => Some(error.get_id()),
        _ => None,
    }
}

/// Growing delays between attempts, without an end.
#[derive(Debug)]
pub(crate) struct Delays(ExponentialBackoff);

impl Delays {
    pub(crate) fn new() -> Self {
        Self(ExponentialBackoff {
            current_interval: Duration::from_millis(100),
            initial_interval: Duration::from_millis(100),
            max_interval: Duration::from_secs(3),
            max_elapsed_time: None,
            ..ExponentialBackoff::default()
        })
    }

    pub(crate) fn next(&mut self) -> Duration {
        self.0.next_backoff().expect("without a time limit there is a next delay")
    }
}

/// One connection for consuming and one for publishing. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Connections {
    /// Where inboxes live.
    pub consuming: Session,
    /// Where publishers live.
    pub publishing: Session,
}

impl Connections {
    /// Connects both. `name` is what the broker's operators see, such as `outflow intake`.
    ///
    /// # Errors
    /// When the address is wrong, or the broker is away or refuses right now.
    pub async fn open(url: &str, name: &str) -> Result<Self, Error> {
        let connections = Self::later(url, name)?;
        connections.check().await.map(|()| connections)
    }

    /// The same without connecting: the first use does, and waits for as long as
    /// the broker is away. For workers that may start before it.
    ///
    /// # Errors
    /// When the address is wrong.
    pub fn later(url: &str, name: &str) -> Result<Self, Error> {
        Ok(Self {
            consuming: Session::new(url, format!("{name} consuming"))?,
            publishing: Session::new(url, format!("{name} publishing"))?,
        })
    }

    /// That both connections work, in one attempt each. For readiness probes.
    ///
    /// # Errors
    /// When the broker is away or refuses.
    pub async fn check(&self) -> Result<(), Error> {
        self.consuming.try_channel().await?;
        self.publishing.try_channel().await.map(drop)
    }
}

/// A connection that is made when it is needed, and made again when it broke.
#[derive(Debug, Clone)]
pub struct Session(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    uri: AMQPUri,
    /// The file with the certificates of the broker's authority; read anew by each
    /// connection, so that it can be replaced.
    authority: Option<String>,
    name: String,
    /// The lock is held while connecting, so that all users share one attempt.
    current: Mutex<Option<Connection>>,
}

impl Session {
    fn new(url: &str, name: String) -> Result<Self, Error> {
        let mut uri: AMQPUri = url.parse().map_err(|_| Error::Address)?;
        uri.query.heartbeat.get_or_insert(HEARTBEAT_SECONDS);
        let authority = authority(url);
        Ok(Self(Arc::new(Shared { uri, authority, name, current: Mutex::new(None) })))
    }

    /// A new channel, in one attempt.
    ///
    /// # Errors
    /// When the broker is away, silent or refuses.
    ///
    /// # Panics
    /// Never: the connection is made just before it is used.
    pub async fn try_channel(&self) -> Result<Channel, Error> {
        let mut current = self.0.current.lock().await;
        if current.as_ref().is_none_or(|connection| !connection.status().connected()) {
            // Taken out first: an attempt that fails or is canceled leaves nothing behind.
            drop(current.take());
            *current = Some(self.connect().await?);
        }
        let connection = current.as_ref().expect("connected just above");
        match timeout(ATTEMPT, connection.create_channel()).await {
            Ok(Ok(channel)) => Ok(channel),
            Ok(Err(error)) => {
                drop(current.take());
                Err(error.into())
            }
            Err(_) => {
                drop(current.take());
                Err(Error::Silent(ATTEMPT))
            }
        }
    }

    /// A new channel, however long it takes. May be canceled.
    pub async fn channel(&self) -> Channel {
        let mut delays = Delays::new();
        loop {
            match self.try_channel().await {
                Ok(channel) => return channel,
                Err(error) => {
                    let delay = delays.next();
                    let (connection, error) = (self.0.name.as_str(), describe(&error));
                    warn!(connection, error, ?delay, "The broker is away; connecting again after a delay");
                    tokio::time::sleep(delay).await;
                }
            }
        }
    }

    async fn certificates(&self) -> Result<Option<String>, Error> {
        let Some(file) = &self.0.authority else { return Ok(None) };
        let text = tokio::fs::read_to_string(file).await;
        text.map(Some).map_err(|source| Error::Certificates { file: file.clone(), source })
    }

    async fn connect(&self) -> Result<Connection, Error> {
        let properties = ConnectionProperties::default().with_connection_name(self.0.name.as_str().into());
        let tls = OwnedTLSConfig { identity: None, cert_chain: self.certificates().await? };
        let runtime = lapin::runtime::default_runtime()?;
        let attempt = Connection::connect_uri_with_config(self.0.uri.clone(), properties, tls, runtime);
        let connection = timeout(ATTEMPT, attempt).await.map_err(|_| Error::Silent(ATTEMPT))??;
        info!(connection = self.0.name.as_str(), "Connected to the broker");
        Ok(connection)
    }
}

/// The file that the parameter `cacertfile` of an address names.
fn authority(url: &str) -> Option<String> {
    let (_, query) = url.split_once('?')?;
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find(|(name, _)| name == "cacertfile").map(|(_, file)| file.into_owned())
}

/// An error with what caused it, in one line.
pub(crate) fn describe(error: &Error) -> String {
    match error {
        Error::Unavailable(cause) | Error::Refused(cause) => format!("{error}: {cause}"),
        Error::Certificates { source, .. } => format!("{error}: {source}"),
        Error::Address | Error::Silent(_) => error.to_string(),
    }
}
