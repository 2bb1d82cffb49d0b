//! What PostgreSQL and RabbitMQ have in common: a child that starts, answers,
//! is stopped and started again, and whose log a failure quotes.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::Signal;

use crate::child::Child;
use crate::folder::Folder;

/// How often a server that starts is asked whether it is ready.
const ASK_EVERY: Duration = Duration::from_millis(25);

/// How long a server may take to stop before it is killed.
const STOP_PATIENCE: Duration = Duration::from_mins(1);

/// How many lines of the log a failure quotes.
const QUOTED_LINES: usize = 12;

/// One server of a stack.
#[derive(Debug)]
pub(crate) struct Server {
    /// The name of its child in the record.
    name: &'static str,
    /// Its name for people.
    title: &'static str,
    folder: Arc<Folder>,
    log: PathBuf,
    child: Mutex<Option<Child>>,
    /// Held while it is started or stopped, so that both never happen at once.
    turn: tokio::sync::Mutex<()>,
}

impl Server {
    /// A server that does not run yet.
    pub(crate) fn new(name: &'static str, title: &'static str, folder: Arc<Folder>, log: PathBuf) -> Self {
        Self { name, title, folder, log, child: Mutex::new(None), turn: tokio::sync::Mutex::new(()) }
    }

    /// The stack's folder.
    pub(crate) fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Its log.
    pub(crate) fn log(&self) -> &Path {
        &self.log
    }

    /// The child, unless it has ended.
    pub(crate) fn running(&self) -> Option<Child> {
        let child = self.child.lock().expect("no thread panics with the child in hand");
        child.clone().filter(|child| child.status().is_none())
    }

    /// Starts `command` and waits for at most `patience` until `ask` gets an answer.
    pub(crate) async fn start<A>(
        &self,
        command: Command,
        patience: Duration,
        ask: impl AsyncFn() -> Option<A>,
    ) -> Result<A> {
        let _turn = self.turn.lock().await;
        let title = self.title;
        ensure!(self.running().is_none(), "{title} runs already");
        let child = self.spawn(self.name, command)?;
        *self.child.lock().expect("no thread panics with the child in hand") = Some(child.clone());
        let began = Instant::now();
        loop {
            if let Some(answer) = ask().await {
                return Ok(answer);
            }
            if let Some(status) = child.status() {
                bail!("{title} ended while it started ({status}); {}", self.quote_log());
            }
            if began.elapsed() > patience {
                bail!("{title} has not answered for {} s; {}", patience.as_secs(), self.quote_log());
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
    }

    /// Runs a command of the server's to its end.
    pub(crate) async fn run(&self, name: &str, command: Command) -> Result<()> {
        let status = self.spawn(name, command)?.ended().await;
        ensure!(status.success(), "{name} failed ({status}); {}", self.quote_log());
        self.folder.write(|record| {
            record.children.remove(name);
        })
    }

    /// Starts a child that writes to the log.
    pub(crate) fn spawn(&self, name: &str, mut command: Command) -> Result<Child> {
        let log = File::options().append(true).create(true).open(&self.log);
        let log = log.with_context(|| format!("cannot write {}", self.log.display()))?;
        command.stderr(log.try_clone()?).stdout(log);
        self.folder.spawn(name, command)
    }

    /// Sends `signal` and waits until the server is gone.
    pub(crate) async fn end(&self, signal: Signal) -> Result<()> {
        let _turn = self.turn.lock().await;
        let child = self.running().with_context(|| format!("{} does not run", self.title))?;
        child.end(signal, STOP_PATIENCE).await;
        Ok(())
    }

    /// The ids of its processes at this moment.
    pub(crate) fn pids(&self) -> Vec<u32> {
        self.running().map(|child| child.process.family()).unwrap_or_default()
    }

    /// Where the log is, and its last lines.
    fn quote_log(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        let last = &lines[lines.len().saturating_sub(QUOTED_LINES)..];
        format!("its log is {} and ends with:\n  {}", self.log.display(), last.join("\n  "))
    }
}
