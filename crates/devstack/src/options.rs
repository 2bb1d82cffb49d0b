//! What a caller may choose about a stack.

use std::fmt;
use std::sync::Arc;

use crate::rabbitmq::Invitation;

/// Whether missing servers may be installed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Install {
    /// On Debian and Ubuntu, with a line that says so.
    #[default]
    WhenMissing,
    /// Never: starting fails and names the command.
    Never,
}

/// Which servers a stack has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Servers {
    /// PostgreSQL and RabbitMQ.
    #[default]
    Both,
    /// Only PostgreSQL, which starts in half the time.
    PostgresOnly,
    /// Only RabbitMQ.
    RabbitMqOnly,
}

impl Servers {
    /// Whether PostgreSQL is one of them.
    pub(crate) const fn postgres(self) -> bool {
        matches!(self, Self::Both | Self::PostgresOnly)
    }

    /// Whether RabbitMQ is one of them.
    pub(crate) const fn rabbitmq(self) -> bool {
        matches!(self, Self::Both | Self::RabbitMqOnly)
    }
}

/// Whether RabbitMQ gets its management plug-in, with a port of its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Management {
    /// No plug-in: it costs throughput.
    #[default]
    Off,
    /// The HTTP API and the console, see `Stack::management_url`.
    On,
}

/// Whether servers that the environment names are used instead of own ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Environment {
    /// `OUTFLOW_DATABASE_URL` and `OUTFLOW_AMQP_URL` come first.
    #[default]
    First,
    /// Own servers whatever the environment says, for tests that stop them.
    Ignored,
}

/// Receives one line of progress at a time. The library itself prints nothing.
#[derive(Clone)]
pub struct Reporter(Arc<dyn Fn(&str) + Send + Sync>);

impl Reporter {
    /// A reporter that hands every line, without a line end, to `receive`.
    pub fn new(receive: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self(Arc::new(receive))
    }

    /// Hands one line over.
    pub(crate) fn say(&self, line: &str) {
        (self.0)(line);
    }
}

impl Default for Reporter {
    /// Says nothing.
    fn default() -> Self {
        Self::new(|_| ())
    }
}

impl fmt::Debug for Reporter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Reporter")
    }
}

/// What a stack should be like. The default is both servers, installed when
/// missing, unless the environment names some, and without a word of progress.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Whether missing servers may be installed.
    pub install: Install,
    /// Which servers there are.
    pub servers: Servers,
    /// Whether RabbitMQ has its management plug-in.
    pub management: Management,
    /// Whether servers that the environment names come first.
    pub environment: Environment,
    /// Settings of `postgresql.conf` that replace or add to ours, such as
    /// `("shared_buffers", "512MB")`.
    pub postgres_settings: Vec<(String, String)>,
    /// Lines of `rabbitmq.conf` that replace or add to ours, such as
    /// `("vm_memory_high_watermark.absolute", "1GB")`.
    pub rabbitmq_settings: Vec<(String, String)>,
    /// The RabbitMQ becomes a node of this one's cluster.
    pub join: Option<Invitation>,
    /// Who hears about progress.
    pub reporter: Reporter,
}

impl Options {
    /// The same, with every line of progress handed to `receive`.
    #[must_use]
    pub fn reporting_to(mut self, receive: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.reporter = Reporter::new(receive);
        self
    }
}
