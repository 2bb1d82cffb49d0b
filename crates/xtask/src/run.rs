//! Running a program of the tool chain and waiting for its end.

use std::env;
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};

/// What to do after a check that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failures {
    /// Go no further.
    Stop,
    /// Run the others too.
    Collect,
}

/// The cargo that started us, in the workspace's folder.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(workspace()).kill_on_drop(true);
    command
}

/// The workspace's folder.
pub(crate) fn workspace() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("this crate is two folders below the workspace").to_path_buf()
}

/// Whether `cargo NAME` can be called.
///
/// Asked by calling it: rustup puts a program for every component there, which
/// then fails when the component is not installed.
pub(crate) async fn has_subcommand(name: &str) -> bool {
    let mut asked = cargo(&[name, "--version"]);
    asked.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    asked.status().await.is_ok_and(|status| status.success())
}

/// Runs `command` to its end.
///
/// Ctrl-C reaches the program directly, since it shares our terminal: we only
/// wait until it has tidied up. A request to terminate is passed on by ending it.
pub(crate) async fn to_the_end(mut command: Command) -> Result<()> {
    let shown = shown(&command);
    println!("$ {shown}");
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut child = command.spawn().with_context(|| format!("cannot run `{shown}`"))?;
    let status = loop {
        tokio::select! {
            status = child.wait() => break status?,
            _ = interrupt.recv() => {}
            _ = terminate.recv() => child.start_kill()?,
        }
    };
    ensure!(status.success(), "`{shown}` failed ({status})");
    Ok(())
}

/// The command as a person would type it.
fn shown(command: &Command) -> String {
    let command = command.as_std();
    let program = PathBuf::from(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned();
    let arguments = command.get_args().map(|argument| argument.to_string_lossy().into_owned());
    [name].into_iter().chain(arguments).collect::<Vec<_>>().join(" ")
}
