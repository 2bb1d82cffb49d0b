//! The options of every command, as they are parsed.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Options of every command.
#[derive(Debug, Args)]
pub(crate) struct General {
    /// The settings file [default: config/outflow.toml where there is one]
    #[arg(long, global = true, env = "OUTFLOW_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// How data is written to stdout
    #[arg(long, global = true, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) output: Output,
    /// How log lines are written to stderr
    #[arg(long, global = true, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) log: Log,
    /// What is logged, such as `info` or `warn,workers=debug`
    #[arg(long, global = true, env = "RUST_LOG", value_name = "FILTER")]
    pub(crate) log_level: Option<String>,
}

/// How data is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people.
    #[default]
    Table,
    /// For programs: one document.
    Json,
    /// For programs: one JSON object a line.
    Jsonl,
    /// For spreadsheets: a header, and a line per row.
    Csv,
}

impl Output {
    /// Whether a program reads it.
    pub(crate) const fn is_data(self) -> bool {
        !matches!(self, Self::Table)
    }
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Log {
    /// For people.
    #[default]
    Human,
    /// One JSON object a line.
    Json,
}
