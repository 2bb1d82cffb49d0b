//! `outflow facts`, as it is parsed.

use clap::{Args, Subcommand};

/// `outflow facts`
#[derive(Debug, Subcommand)]
pub(crate) enum Facts {
    /// What stands in the way of an account's facts, or every account that is stopped
    Status {
        /// The account [default: all that are stopped]
        account: Option<String>,
    },
    /// Leaves out the one version that everything waits for, for ever
    Skip {
        /// Whose, why and who.
        #[command(flatten)]
        wish: Intervention,
        /// The version, as `facts status` names it
        #[arg(value_name = "VERSION")]
        fact_version: i64,
    },
    /// Ends a stop because of `control_total`, once the totals agree again
    EndStop {
        /// Whose, why and who.
        #[command(flatten)]
        wish: Intervention,
    },
}

/// What is written down of everything that people do about an account.
#[derive(Debug, Args)]
pub(crate) struct Intervention {
    /// The account
    pub(crate) account: String,
    /// Why; it stays in the books
    #[arg(long)]
    pub(crate) reason: String,
    /// Who does it; it stays in the books
    #[arg(long, value_name = "NAME")]
    pub(crate) by: String,
}
