//! Children that do not outlive us.
//!
//! The kernel is asked to signal each child when its parent dies, so that even
//! `kill -9` of this process leaves no server behind. To the kernel "the parent"
//! is the *thread* that forked: every child gets a thread of its own, which
//! forks it and then waits until it has ended. A thread of the async runtime
//! may come and go; this one lives exactly as long as the child.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::sys::signal::Signal;
use nix::unistd::{Gid, Uid, User};
use tokio::sync::watch;

use crate::locate::{self, SYSTEM_PATH};
use crate::process::Process;

/// A user that servers run as when we are root.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    /// Its name.
    pub(crate) name: String,
    /// Its id.
    pub(crate) uid: Uid,
    /// The id of its main group.
    pub(crate) gid: Gid,
}

impl Account {
    /// Who runs PostgreSQL, which refuses root. `None`: we, being nobody special.
    pub(crate) fn for_postgres() -> Result<Option<Self>> {
        if !Uid::effective().is_root() {
            return Ok(None);
        }
        let user = ["postgres", "nobody"]
            .iter()
            .find_map(|name| User::from_name(name).ok().flatten())
            .context("PostgreSQL refuses to run as root, and there is no user `postgres` or `nobody`")?;
        Ok(Some(Self { name: user.name, uid: user.uid, gid: user.gid }))
    }
}

/// A command with an environment of only what is said here, in a process group
/// of its own (Ctrl-C in a terminal is ours to handle, not the servers'), which
/// gets `death` when we die, and runs as `account` if there is one.
pub(crate) fn guarded(program: &Path, account: Option<&Account>, death: Signal) -> Result<Command> {
    let mut command = match locate::system("setpriv") {
        Some(setpriv) => {
            let mut command = Command::new(setpriv);
            command.args(["--pdeathsig", death.as_str().trim_start_matches("SIG")]);
            if let Some(account) = account {
                command.args([&format!("--reuid={}", account.uid), &format!("--regid={}", account.gid)]);
                command.arg("--clear-groups");
            }
            command.arg("--").arg(program);
            command
        }
        None if account.is_some() => bail!("`setpriv` is missing: install util-linux, or do not run as root"),
        None => Command::new(program),
    };
    command.env_clear().env("PATH", SYSTEM_PATH).env("LANG", "C.UTF-8").env("TZ", "UTC");
    command.process_group(0).stdin(Stdio::null()).current_dir("/");
    Ok(command)
}

/// A child that runs, or has ended. Cloning it does not start another.
#[derive(Debug, Clone)]
pub(crate) struct Child {
    /// Which process it is.
    pub(crate) process: Process,
    ended: watch::Receiver<Option<ExitStatus>>,
}

impl Child {
    /// Starts `command` on a thread of its own.
    pub(crate) fn spawn(mut command: Command) -> Result<Self> {
        let program = command.get_program().display().to_string();
        let (report, began) = mpsc::channel();
        let (end, ended) = watch::channel(None);
        let keeper = move || {
            let mut child = match command.spawn() {
                Ok(child) => child,
                Err(error) => return report.send(Err(error)).unwrap_or(()),
            };
            let process = Process::with_pid(child.id());
            let _ = report.send(Ok(process));
            let status = child.wait().unwrap_or_default();
            // Nobody listens any more when the stack is gone already.
            let _ = end.send(Some(status));
        };
        thread::Builder::new().name("devstack-child".to_owned()).spawn(keeper)?;
        let began = began.recv().context("the thread that starts a child is gone")?;
        let process = began.with_context(|| format!("cannot start {program}"))?;
        let process = process.with_context(|| format!("{program} ended as soon as it began"))?;
        Ok(Self { process, ended })
    }

    /// Waits for the end.
    pub(crate) async fn ended(&self) -> ExitStatus {
        let mut ended = self.ended.clone();
        let status = ended.wait_for(Option::is_some).await.ok().and_then(|status| *status);
        status.unwrap_or_default()
    }

    /// How it ended, if it has.
    pub(crate) fn status(&self) -> Option<ExitStatus> {
        *self.ended.borrow()
    }

    /// Sends `signal`, and SIGKILL if that has not helped within `patience`.
    pub(crate) async fn end(&self, signal: Signal, patience: Duration) {
        self.process.signal(signal);
        if tokio::time::timeout(patience, self.ended()).await.is_err() {
            self.process.signal(Signal::SIGKILL);
            self.ended().await;
        }
    }
}
