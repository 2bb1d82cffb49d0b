//! Programs of ours as processes: found beside this one, started, stopped.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

/// How long a program may take to start or to end.
const PATIENCE: Duration = Duration::from_secs(30);

/// A program with its arguments.
pub(crate) struct Program(Command);

impl Program {
    /// The product, on the servers that `settings` names.
    pub(crate) fn outflow(settings: &Path, arguments: &[&str]) -> Self {
        let mut command = Command::new(beside("outflow"));
        command.args(["--log-level", "warn"]).args(arguments);
        for name in ["OUTFLOW_DATABASE_URL", "OUTFLOW_AMQP_URL"] {
            command.env_remove(name);
        }
        command.env("OUTFLOW_CONFIG", settings);
        Self(command)
    }

    /// The simulator, on a free port.
    pub(crate) fn simulator(folder: &Path, arguments: &[&str]) -> Self {
        let mut command = Command::new(beside("gateway-simulator"));
        command.args(["--listen", "127.0.0.1:0"]).args(arguments);
        command.arg("--keys").arg(folder.join("gateway-keys"));
        command.arg("--book").arg(folder.join("gateway-book.jsonl"));
        Self(command)
    }

    /// Starts it. It ends when the answer is dropped.
    pub(crate) fn start(mut self) -> Result<Running> {
        let name = self.0.as_std().get_program().display().to_string();
        self.0.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child =
            self.0.spawn().with_context(|| format!("cannot start {name}; use cargo xtask bench"))?;
        let stdout = child.stdout.take().expect("its output is piped");
        Ok(Running { child, stdout: BufReader::new(stdout), name })
    }
}

/// A program that runs.
pub(crate) struct Running {
    child: Child,
    stdout: BufReader<ChildStdout>,
    name: String,
}

impl Running {
    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id().expect("it has not been waited for")
    }

    /// What follows `start` in the first line that it prints.
    pub(crate) async fn line_after(&mut self, start: &str) -> Result<String> {
        let mut line = String::new();
        let read = timeout(PATIENCE, self.stdout.read_line(&mut line)).await;
        read.with_context(|| format!("{} says nothing", self.name))??;
        let rest = line.strip_prefix(start).with_context(|| format!("{} said {line:?}", self.name))?;
        Ok(rest.trim().to_owned())
    }

    /// Asks it to end, and waits until it has.
    pub(crate) async fn stop(mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!("{} ended by itself ({status})", self.name);
        }
        let asked = Command::new("kill").arg("-INT").arg(self.pid().to_string()).status().await?;
        ensure!(asked.success(), "cannot signal {}", self.name);
        timeout(PATIENCE, self.child.wait())
            .await
            .with_context(|| format!("{} does not end", self.name))??;
        Ok(())
    }
}

/// A program in the folder of this one.
fn beside(name: &str) -> PathBuf {
    let own = env::current_exe().expect("this program has a path");
    own.with_file_name(name)
}
