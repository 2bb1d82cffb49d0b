//! `outflow run`, as it is parsed.

use std::net::SocketAddr;

use clap::{Args, ValueEnum};

use crate::wiring::{Word, words};

/// `outflow run`
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// The worker
    #[arg(value_parser = words())]
    pub(crate) worker: Word,
    /// Rails of the payout worker; all of them when left out
    #[arg(long, value_enum, value_name = "RAIL")]
    pub(crate) rail: Vec<RailName>,
    /// Where /healthz and /readyz of this process are served, such as 0.0.0.0:8087
    #[arg(long, env = "OUTFLOW_PROBE", value_name = "ADDRESS")]
    pub(crate) probe: Option<SocketAddr>,
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
