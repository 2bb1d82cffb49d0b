//! `outflow bank-run`, as it is parsed.

use clap::{Args, Subcommand};
use uuid::Uuid;

/// `outflow bank-run`
#[derive(Debug, Subcommand)]
pub(crate) enum BankRun {
    /// The newest runs: what went to the bank at which cut-off, and what waits
    List {
        /// How many at most
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(i64).range(1..=1_000))]
        limit: i64,
    },
    /// One run whole: its files and the legs in them
    Show {
        /// The run's number
        #[arg(value_parser = super::number)]
        id: Uuid,
    },
    /// Lets a run go that waits because it would pass the largest total of a day
    Release(Release),
}

/// Which run, and who lets it go why.
#[derive(Debug, Args)]
pub(crate) struct Release {
    /// The run's number
    #[arg(value_parser = super::number)]
    pub(crate) id: Uuid,
    /// Why, for whoever asks later
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(crate) reason: String,
    /// Who you are
    #[arg(long, env = "OUTFLOW_ACTOR", value_name = "NAME", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(crate) by: String,
}
