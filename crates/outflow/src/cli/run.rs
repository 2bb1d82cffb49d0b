//! `outflow run`, as it is parsed.

use std::net::SocketAddr;

use clap::{Args, ValueEnum};

/// `outflow run`
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// The worker
    #[arg(value_enum)]
    pub(crate) worker: WorkerName,
    /// Rails of the payout worker; all of them when left out
    #[arg(long, value_enum, value_name = "RAIL")]
    pub(crate) rail: Vec<RailName>,
    /// Where /healthz and /readyz of this process are served, such as 0.0.0.0:8087
    #[arg(long, env = "OUTFLOW_PROBE", value_name = "ADDRESS")]
    pub(crate) probe: Option<SocketAddr>,
}

/// What can be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum WorkerName {
    /// Applies account facts from upstream
    Facts,
    /// Takes up facts that waited for others, and reports those that wait too long
    Gaps,
    /// Decides about withdrawal requests
    Intake,
    /// Lets small withdrawals go and leaves the others to people
    Approval,
    /// Applies what people decided
    Decisions,
    /// Tells the payout queues which legs are due
    Release,
    /// Lets go what a guard had stopped
    Holds,
    /// Ends what has waited too long
    Expiry,
    /// Counts provisional deadlines again when a year's calendar has come
    Deadlines,
    /// Asks the gateways for the money; see --rail
    Payout,
    /// Asks what became of payments under way or in doubt
    Settle,
    /// Compares the channels' statements of days that are over with the books
    Reconcile,
    /// Asks every invariant of the books each minute, and stops all sends when one about money is broken
    Verify,
    /// Carries the outbox to RabbitMQ
    Relay,
    /// Takes dead letters out of their queue and into the books
    Parking,
    /// Serves the API, the console, probes, metrics and gateways' notices over HTTP
    Api,
    /// All of them but the API in one process
    All,
}

/// The rails by their names on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RailName {
    /// Alipay
    Alipay,
    /// WeChat Pay
    Wechat,
    /// UnionPay
    Unionpay,
    /// The bank
    Bank,
}

impl From<RailName> for domain::Rail {
    fn from(rail: RailName) -> Self {
        match rail {
            RailName::Alipay => Self::Alipay,
            RailName::Wechat => Self::WeChat,
            RailName::Unionpay => Self::UnionPay,
            RailName::Bank => Self::Bank,
        }
    }
}
