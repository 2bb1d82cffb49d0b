//! `cargo xtask`: every check and every benchmark behind one command.
//!
//! ```text
//! cargo xtask test              every check, in the order in which they are cheap to fail
//! cargo xtask fmt|clippy|…      one of them
//! cargo xtask bench pipeline    what the machine reaches, in a release build
//! cargo xtask bench signing     what a signed call costs next to bare RSA
//! cargo xtask bench allocation  what a long history costs a request
//! cargo xtask chaos             kills, crashes and lies, and whether the books still agree
//! ```
//!
//! It starts programs and nothing else: what is checked is said by `checks`,
//! how a program is run by `run`, and what the tests run against by `servers`.

mod bench;
mod chaos;
mod checks;
mod run;
mod servers;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::checks::Check;
use crate::run::Failures;

/// Checks and benchmarks of this workspace.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Runs every check: what has to pass before a commit is shared.
    Test {
        /// Goes on after a failure, to see all of them.
        #[arg(long)]
        keep_going: bool,
    },
    /// Checks that every file is formatted.
    Fmt,
    /// Checks all lints, warnings being errors.
    Clippy,
    /// Checks that the rules of the domain build without anything around them.
    Domain,
    /// Runs the tests against one `PostgreSQL` and one `RabbitMQ` of their own.
    Nextest {
        /// What to pass on: a part of a test's name, or `-E 'package(store)'`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Runs the examples in the documentation.
    Doctests,
    /// Builds the documentation, warnings being errors.
    Docs,
    /// Measures, in a release build: `pipeline`, `allocation` or `signing`, and its options.
    Bench {
        /// What to measure, and its options; `--help` lists them.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
        arguments: Vec<String>,
    },
    /// Tries to make the product lose money, in a release build: `--seed N --withdrawals 10000 --kills 200 …`.
    Chaos {
        /// How large the run is, and which part of it; `--help` lists them.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    let done = match Arguments::parse().task {
        Task::Test { keep_going: true } => checks::run_all(Failures::Collect).await,
        Task::Test { keep_going: false } => checks::run_all(Failures::Stop).await,
        Task::Fmt => checks::run_one(Check::Format, &[]).await,
        Task::Clippy => checks::run_one(Check::Lints, &[]).await,
        Task::Domain => checks::run_one(Check::DomainAlone, &[]).await,
        Task::Nextest { arguments } => checks::run_one(Check::Tests, &arguments).await,
        Task::Doctests => checks::run_one(Check::Examples, &[]).await,
        Task::Docs => checks::run_one(Check::Documentation, &[]).await,
        Task::Bench { arguments } => bench::run(&arguments).await,
        Task::Chaos { arguments } => chaos::run(&arguments).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\n✗ {error:#}");
            ExitCode::FAILURE
        }
    }
}
