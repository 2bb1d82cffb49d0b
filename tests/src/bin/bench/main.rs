//! Benchmarks of the whole system, on real servers and with everything durable.
//!
//! `cargo xtask bench …` builds the product and the simulator for release
//! and calls this program, which finds both beside itself. The product runs in
//! processes of its own, so that their processor time can be told apart.

mod allocation;
mod audience;
mod floor;
mod meter;
mod paced;
mod pipeline;
mod programs;
mod report;
mod scene;
mod signing;
mod stages;
mod upstream;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Measures the product on this machine.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask bench", disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Withdrawals per second, from the first request taken to the last one completed.
    Pipeline(pipeline::Options),
    /// Each worker alone, next to bare commits and bare messages.
    Stages(stages::Options),
    /// Processor time of a signed refund, adapter and simulator, next to bare RSA.
    Signing(signing::Options),
    /// What a request costs by the length of its account's history, and beside old withdrawals.
    Allocation(allocation::Options),
}

#[tokio::main]
async fn main() -> ExitCode {
    let done = match Arguments::parse().what {
        What::Pipeline(options) => pipeline::run(&options).await,
        What::Stages(options) => stages::run(&options).await,
        What::Signing(options) => signing::run(&options).await,
        What::Allocation(options) => allocation::run(&options).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("✗ {error:#}");
            ExitCode::FAILURE
        }
    }
}
