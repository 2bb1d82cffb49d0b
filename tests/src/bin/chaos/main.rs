//! Kills, crashes, cuts and lies, on real servers, with the books compared at the end.
//!
//! ```text
//! sweep      the process dies at every named step of every worker, once
//! storm      many processes, everything goes wrong at once; then calm, then the check
//! controls   bugs that are planted, each of which the check must notice
//! ```
//!
//! `cargo xtask chaos …` builds what it needs and calls this program, which finds
//! the rest beside itself. What a run was told to do and what it did lies in
//! `target/chaos/`: the plan, the trace, every log, the simulator's book.

mod audience;
mod calm;
mod checker;
mod controls;
mod driver;
mod fleet;
mod mix;
mod people;
mod plan;
mod process;
mod report;
mod scene;
mod servers;
mod storm;
mod sweep;
mod time;
mod upstream;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

use anyhow::{Context, Result, ensure};
use clap::{Parser, ValueEnum};

use crate::controls::CONTROLS;
use crate::plan::Size;
use crate::report::Report;
use crate::servers::Servers;

/// Tries to make the product lose money, and fails if it can.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask chaos", disable_help_subcommand = true)]
struct Arguments {
    #[command(flatten)]
    size: Size,
    /// What to run; everything when nothing is named
    #[arg(long, value_enum)]
    only: Vec<Part>,
}

/// A part of the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// The process dies at every named step
    Sweep,
    /// Everything goes wrong at once
    Storm,
    /// Planted bugs are noticed
    Controls,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("✗ the product did not keep its promises, or the check is blind");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("✗ {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs what was asked for. True when everything was as it should be.
async fn run(arguments: &Arguments) -> Result<bool> {
    let folder = folder()?;
    let points = points()?;
    let servers = if arguments.size.cluster { Servers::cluster().await? } else { Servers::single().await? };
    let done = parts(arguments, &servers, &points, &folder).await;
    servers.stop().await?;
    done
}

async fn parts(arguments: &Arguments, servers: &Servers, points: &[String], folder: &Path) -> Result<bool> {
    let wanted = |part| arguments.only.is_empty() || arguments.only.contains(&part);
    let mut report = Report::default();
    println!("what is planned and what happens is in {}", folder.display());
    if wanted(Part::Sweep) {
        println!("\n── sweep: {} named steps ──", points.len());
        report.sweep(sweep::run(servers, points, &folder.join("sweep")).await.context("the sweep")?);
    }
    if wanted(Part::Storm) {
        let size = &arguments.size;
        println!("\n── storm: seed {}, {} withdrawals, {} kills ──", size.seed, size.withdrawals, size.kills);
        let outcome = storm::run(servers, size, points, &folder.join(format!("storm-{}", size.seed))).await;
        report.storm(outcome.context("the storm")?);
    }
    if wanted(Part::Controls) {
        println!("\n── controls: {} planted bugs ──", CONTROLS.len());
        for control in CONTROLS {
            report.control(controls::run(servers, control, &folder.join(control.bug)).await?);
        }
    }
    Ok(report.is_clean())
}

/// `target/chaos`, without the keys of an earlier run: they were made for its day.
fn folder() -> Result<PathBuf> {
    let own = env::current_exe().context("this program has no path")?;
    let target = own.ancestors().nth(2).context("this program is in no target folder")?;
    let folder = target.join("chaos");
    let keys = folder.join("gateway-keys");
    if keys.exists() {
        fs::remove_dir_all(&keys)?;
    }
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// Every named step, as the workers' source has it.
fn points() -> Result<Vec<String>> {
    let mut points = BTreeSet::new();
    let mut folders = vec![tests::repository().join("crates/workers/src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let text = fs::read_to_string(&path)?;
                let named = text.split("failpoint!(\"").skip(1).filter_map(|rest| rest.split('"').next());
                points.extend(named.map(str::to_owned));
            }
        }
    }
    ensure!(points.len() > 30, "only {} named steps were found", points.len());
    Ok(points.into_iter().collect())
}
