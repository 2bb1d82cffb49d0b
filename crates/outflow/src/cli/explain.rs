//! `outflow explain`, as it is parsed.

use clap::Args;

/// `outflow explain`
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The code, such as `exceeds_withdrawable` [default: every code]
    pub(crate) code: Option<String>,
}
