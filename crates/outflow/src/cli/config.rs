//! `outflow config`, as it is parsed.

use clap::Subcommand;

/// `outflow config`
#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// Reads the settings and every key and calendar that they name; asks no server
    Check,
    /// The settings in force without secrets, each with where it comes from: default, file or environment
    Show,
    /// Every setting with its type, default and meaning, as Markdown
    Reference,
}
