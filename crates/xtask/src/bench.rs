//! Benchmarks: built for release, and run with what they need beside them.

use std::env;
use std::path::PathBuf;

use anyhow::{Context, Result};
use tokio::process::Command;

use crate::run::{self, cargo, workspace};

/// Builds the product, the simulator and the benchmarks, and runs one of them.
///
/// All in one build, so that their shared dependencies are built once.
///
/// # Errors
/// When the build or the benchmark fails.
pub(crate) async fn run(arguments: &[String]) -> Result<()> {
    let packages = ["--package", "outflow", "--package", "simulator", "--package", "tests"];
    let mut build = cargo(&["build", "--release", "--bins"]);
    build.args(packages);
    run::to_the_end(build).await?;
    let mut bench = Command::new(release_folder()?.join("bench"));
    bench.args(arguments).current_dir(workspace()).kill_on_drop(true);
    run::to_the_end(bench).await
}

/// Where cargo puts programs built for release: beside the folder that we are in.
fn release_folder() -> Result<PathBuf> {
    let own = env::current_exe().context("cannot find this program")?;
    let target = own.ancestors().nth(2).context("this program is in no target folder")?;
    Ok(target.join("release"))
}
