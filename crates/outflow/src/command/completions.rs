//! `outflow completions`: what a shell needs to complete commands and options.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::Cli;

/// Prints the script to stdout.
pub(crate) fn run(shell: Shell) {
    clap_complete::generate(shell, &mut Cli::command(), "outflow", &mut std::io::stdout());
}
