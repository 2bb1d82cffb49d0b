//! The chaos runs: the whole one in a release build, and a small one among the checks.

use std::env;
use std::path::PathBuf;

use anyhow::{Context, Result};
use tokio::process::Command;

use crate::run::{self, cargo, workspace};

/// What the check is asked for: a kill at every named step, a storm that two cores get
/// through in two minutes, and every control. Only what changes with a machine's load is generous.
const SMALL: &[&str] = &[
    "--seed=1",
    "--withdrawals=300",
    "--kills=24",
    "--postgres-crashes=2",
    "--broker-kills=1",
    "--calm-seconds=240",
];

/// Builds the product with its failpoints, the simulator and the driver for release, and runs it.
///
/// # Errors
/// When the build fails, or the product did not keep a promise.
pub(crate) async fn run(arguments: &[String]) -> Result<()> {
    let mut build = cargo(&["build", "--release", "--features", "outflow/failpoints"]);
    build.args(["--package", "outflow", "--package", "simulator", "--package", "tests"]);
    build.args(["--bin", "outflow-faulty", "--bin", "gateway-simulator", "--bin", "chaos"]);
    run::to_the_end(build).await?;
    start("release", arguments).await
}

/// A small run of all parts, on what the tests were built from.
///
/// The product with its failpoints is built by itself, so that no other program
/// of the workspace has them.
///
/// # Errors
/// As for [`run()`].
pub(crate) async fn check() -> Result<()> {
    // A test among what is built has cargo choose the libraries that the tests were built with.
    let shared = ["build", "--workspace", "--test", "structure"];
    let mut build = cargo(&shared);
    build.args(["--bin", "gateway-simulator", "--bin", "chaos"]);
    run::to_the_end(build).await?;
    let mut build = cargo(&shared);
    build.args(["--bin", "outflow-faulty", "--features", "outflow/failpoints"]);
    run::to_the_end(build).await?;
    let arguments: Vec<String> = SMALL.iter().map(|it| (*it).to_owned()).collect();
    start("debug", &arguments).await
}

async fn start(profile: &str, arguments: &[String]) -> Result<()> {
    let mut chaos = Command::new(target_folder()?.join(profile).join("chaos"));
    chaos.args(arguments).current_dir(workspace()).kill_on_drop(true);
    run::to_the_end(chaos).await
}

/// Cargo's folder, in which this program lies two folders deep.
fn target_folder() -> Result<PathBuf> {
    let own = env::current_exe().context("cannot find this program")?;
    let target = own.ancestors().nth(2).context("this program is in no target folder")?;
    Ok(target.to_path_buf())
}
