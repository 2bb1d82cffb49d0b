//! `outflow parked`, as it is parsed.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand};
use uuid::Uuid;

/// `outflow parked`
#[derive(Debug, Subcommand)]
pub(crate) enum Parked {
    /// Messages that nobody could use, grouped by what is wrong with them
    List(ListParked),
    /// One message, with account numbers masked; that you saw it is written down
    Show {
        /// Its number
        #[arg(value_parser = super::number)]
        id: Uuid,
        /// Who you are
        #[arg(long, env = "OUTFLOW_ACTOR", value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
        by: String,
    },
    /// Sends a message again, as it came or edited; the original and the difference are kept
    Replay {
        /// Which, why and who.
        #[command(flatten)]
        wish: Resolve,
        /// A file with the edited message; what it leaves masked is taken from the original
        #[arg(long, value_name = "FILE")]
        edited: Option<PathBuf>,
    },
    /// Resolves a message without sending anything
    Discard {
        /// Which, why and who.
        #[command(flatten)]
        wish: Resolve,
    },
}

/// `outflow parked list`
#[derive(Debug, Args)]
pub(crate) struct ListParked {
    /// Those that somebody dealt with
    #[arg(long)]
    pub(crate) resolved: bool,
    /// Only messages that came from this queue
    #[arg(long, value_name = "QUEUE")]
    pub(crate) queue: Option<String>,
    /// Only messages with this problem
    #[arg(long, value_name = "CODE")]
    pub(crate) code: Option<String>,
    /// How many at most
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=10_000))]
    pub(crate) limit: i64,
}

/// A message, and who deals with it why.
#[derive(Debug, Args)]
pub(crate) struct Resolve {
    /// Its number
    #[arg(value_parser = super::number)]
    pub(crate) id: Uuid,
    /// Why; it stays in the books
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) reason: String,
    /// Who you are
    #[arg(long, env = "OUTFLOW_ACTOR", value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) by: String,
}
