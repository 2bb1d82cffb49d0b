//! `outflow lint` and `outflow dry-run`, as they are parsed.

use std::path::PathBuf;

use clap::Args;

/// `outflow lint` and `outflow dry-run`
#[derive(Debug, Args)]
pub(crate) struct MessageFile {
    /// A file with one message, a list of them, or one a line; `-` is stdin
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}
