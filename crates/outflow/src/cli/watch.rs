//! `outflow watch`, as it is parsed.

use clap::Args;
use uuid::Uuid;

/// `outflow watch`
#[derive(Debug, Args)]
pub(crate) struct Watch {
    /// The withdrawal's number
    #[arg(value_parser = super::number)]
    pub(crate) id: Uuid,
    /// Seconds between two looks
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=3600), value_name = "SECONDS")]
    pub(crate) every: u16,
}
