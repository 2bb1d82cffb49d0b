//! One program of ours as a process that can be killed, stopped and asked to end.

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use std::{env, fs};

use anyhow::{Context, Result, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

/// How long a program may take to say its first line, or to end when it is asked to.
const PATIENCE: Duration = Duration::from_mins(2);

/// The exit status of a worker whose server is away when it starts.
const GAVE_UP: i32 = 5;

/// A process. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    name: String,
}

impl Process {
    /// Starts a program of ours; what it logs goes to the end of `log`.
    pub(crate) fn start(mut command: Command, name: &str, log: &Path) -> Result<Self> {
        let log = fs::File::options().append(true).create(true).open(log)?;
        command.stdin(Stdio::null()).stderr(log).kill_on_drop(true);
        let child = command.spawn().with_context(|| format!("cannot start {name}; use cargo xtask chaos"))?;
        Ok(Self { child, name: name.to_owned() })
    }

    /// What follows `start` in the first line that it prints, and the rest of its words.
    pub(crate) async fn line_after(&mut self, start: &str) -> Result<(String, BufReader<ChildStdout>)> {
        let stdout = self.child.stdout.take().context("its output is not piped")?;
        let (mut reader, mut line) = (BufReader::new(stdout), String::new());
        let read = timeout(PATIENCE, reader.read_line(&mut line)).await;
        read.with_context(|| format!("{} says nothing", self.name))??;
        let rest = line.strip_prefix(start).with_context(|| format!("{} said {line:?}", self.name))?;
        Ok((rest.trim().to_owned(), reader))
    }

    /// Sends a signal, unless it has ended.
    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        let Some(id) = self.child.id() else { return Ok(()) };
        let id = Pid::from_raw(i32::try_from(id).context("a process id")?);
        kill(id, signal).with_context(|| format!("cannot signal {}", self.name))
    }

    /// Ends it on the spot, as a power cut would.
    pub(crate) async fn kill(&mut self) -> Result<()> {
        self.child.kill().await.with_context(|| format!("cannot kill {}", self.name))
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Waits for its end.
    pub(crate) async fn end(&mut self) -> Result<ExitStatus> {
        let ended = timeout(PATIENCE, self.child.wait()).await;
        Ok(ended.with_context(|| format!("{} does not end", self.name))??)
    }

    /// Asks it to end, and waits until it has finished what it has in hand.
    ///
    /// # Errors
    /// When it does not end, or ends as no program that is asked to should.
    pub(crate) async fn stop(mut self) -> Result<()> {
        if self.ended()?.is_none() {
            self.signal(Signal::SIGTERM)?;
        }
        let status = self.end().await?;
        // Who knows no SIGTERM, or none yet, has nothing in hand: the simulator keeps its
        // book at every line, and a worker that starts has taken nothing. Who was armed
        // may die at its step instead.
        let signals = [Signal::SIGTERM, Signal::SIGKILL].map(|it| Some(it as i32));
        let died = signals.contains(&status.signal()) || status.code() == Some(GAVE_UP);
        ensure!(status.success() || died, "{} was asked to end and failed ({status})", self.name);
        Ok(())
    }
}

/// A program in the folder of this one.
pub(crate) fn beside(name: &str) -> PathBuf {
    let own = env::current_exe().expect("this program has a path");
    own.with_file_name(name)
}
