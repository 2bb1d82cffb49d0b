//! `outflow approve`, `deny`, `cancel`, `hold` and `release`, as they are parsed.

use broker::contract::{Actor, EffectDigest, Reason};
use clap::Args;
use uuid::Uuid;

/// What every decision says.
#[derive(Debug, Args)]
pub(crate) struct Decide {
    /// The withdrawal's number
    #[arg(value_parser = super::number)]
    pub(crate) id: Uuid,
    /// Who decides
    #[arg(long, env = "OUTFLOW_ACTOR", value_name = "NAME")]
    pub(crate) by: Actor,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Reason,
    /// The effect that you looked at, as `show` prints it [default: the one that this command shows]
    #[arg(long, value_name = "SHA256")]
    pub(crate) effect: Option<EffectDigest>,
    /// Show the effect, and decide nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}
