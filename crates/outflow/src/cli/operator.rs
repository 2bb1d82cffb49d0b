//! `outflow operator`, as it is parsed.

use clap::{Args, Subcommand, ValueEnum};

/// `outflow operator`
#[derive(Debug, Subcommand)]
pub(crate) enum Operator {
    /// Adds somebody, and prints their token: this once and never again
    Add(NewOperator),
    /// Everybody who may use the API and the console, or could
    List,
    /// Takes a token back at once, with every session that was opened with it
    Revoke {
        /// The name
        #[arg(value_parser = name)]
        name: String,
        /// Who you are
        #[arg(long, env = "OUTFLOW_ACTOR", value_name = "NAME", value_parser = name)]
        by: String,
    },
}

/// `outflow operator add`
#[derive(Debug, Args)]
pub(crate) struct NewOperator {
    /// The name: the actor of everything that is done with the token
    #[arg(value_parser = name)]
    pub(crate) name: String,
    /// What they may do; each role may do what those before it may
    #[arg(long, value_enum)]
    pub(crate) role: RoleName,
    /// Who you are
    #[arg(long, env = "OUTFLOW_ACTOR", value_name = "NAME", value_parser = name)]
    pub(crate) by: String,
}

/// What somebody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RoleName {
    /// Look at everything that is not sealed
    Viewer,
    /// Ask for money, give details, take back, stop channels, deal with parked messages
    Operator,
    /// Approve and deny, and read the audit
    Approver,
    /// Everything
    Admin,
}

/// A name that can be a part of an address and of a message's source.
fn name(text: &str) -> Result<String, String> {
    let fits = text.chars().all(|it| it.is_ascii_alphanumeric() || matches!(it, '.' | '_' | '-'));
    if fits && (1..=64).contains(&text.len()) {
        return Ok(text.to_owned());
    }
    Err("must have 1 to 64 characters, only letters, digits, and any of . _ -".to_owned())
}
