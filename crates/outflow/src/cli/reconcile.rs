//! `outflow reconcile`, as it is parsed.

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::{Args, Subcommand};
use uuid::Uuid;

use super::RailName;

/// `outflow reconcile`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Reconcile {
    /// What else to do [default: compare a day, or list the newest days]
    #[command(subcommand)]
    pub(crate) action: Option<ReconcileAction>,
    /// The channel whose statement is compared
    #[arg(long, value_enum, value_name = "RAIL", requires = "day")]
    pub(crate) rail: Option<RailName>,
    /// The settlement day, in Beijing
    #[arg(long, value_name = "DATE", requires = "rail")]
    pub(crate) day: Option<NaiveDate>,
    /// The statement as the channel hands it out: Alipay's ZIP, WeChat Pay's CSV,
    /// UnionPay's fileContent, the bank's camt.053 [default: fetched from the channel]
    #[arg(long, value_name = "FILE", requires = "rail")]
    pub(crate) file: Option<PathBuf>,
}

/// What else there is to do.
#[derive(Debug, Subcommand)]
pub(crate) enum ReconcileAction {
    /// The newest settlement days, and where each stands
    Days {
        /// How many at most
        #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(i64).range(1..=1_000))]
        limit: i64,
    },
    /// What does not agree and nobody has resolved
    Differences {
        /// Resolved ones too
        #[arg(long)]
        all: bool,
        /// How many at most
        #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(i64).range(1..=10_000))]
        limit: i64,
    },
    /// Resolves a difference by a person's word; a file that was objected to is accepted by it
    Resolve(ResolveDifference),
}

/// Which difference, and who resolves it how.
#[derive(Debug, Args)]
pub(crate) struct ResolveDifference {
    /// The difference's number
    #[arg(value_parser = super::number)]
    pub(crate) id: Uuid,
    /// How it was resolved, with the evidence
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(crate) reason: String,
    /// Who you are
    #[arg(long, env = "OUTFLOW_ACTOR", value_name = "NAME", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(crate) by: String,
}
