//! `outflow man`, as it is parsed.

use std::path::PathBuf;

use clap::Args;

/// `outflow man`
#[derive(Debug, Args)]
pub(crate) struct Man {
    /// A folder that gets one page per command [default: the first page, to stdout]
    #[arg(long, value_name = "FOLDER")]
    pub(crate) folder: Option<PathBuf>,
}
