//! The workers of a run, each a process of its own that is started again when it dies.

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use nix::sys::signal::Signal;
use tokio::process::Command;

use crate::process::{Process, beside};
use crate::time::Time;

/// Every process of the product, by what it runs; those that share a queue stand here twice.
pub(crate) const CREW: &[&[&str]] = &[
    &["facts"],
    &["intake"],
    &["intake"],
    &["approval"],
    &["decisions"],
    &["release"],
    &["payout"],
    &["payout"],
    &["settle"],
    &["settle"],
    &["relay"],
    &["relay"],
    &["gaps"],
    &["holds"],
    &["expiry"],
    &["deadlines"],
];

/// A process that ends by itself within so long could not connect.
const STARTING: Duration = Duration::from_secs(10);

/// What every process is told.
#[derive(Debug, Clone)]
pub(crate) struct Orders {
    /// The settings file.
    pub(crate) settings: PathBuf,
    /// Where the processes log.
    pub(crate) log: PathBuf,
    /// Where the steps are noted that were reached.
    pub(crate) hits: PathBuf,
    /// The bug that all of them carry.
    pub(crate) planted: Option<&'static str>,
}

/// One of them.
#[derive(Debug)]
struct Member {
    runs: &'static [&'static str],
    clock: PathBuf,
    process: Option<Process>,
    started: Instant,
    stopped: bool,
}

/// All of them.
#[derive(Debug)]
pub(crate) struct Fleet {
    members: Vec<Member>,
    orders: Orders,
    time: Arc<Time>,
}

impl Fleet {
    /// Starts every process of `crew`.
    pub(crate) fn launch(
        crew: &'static [&'static [&'static str]],
        orders: Orders,
        time: &Arc<Time>,
    ) -> Result<Self> {
        let member = |runs: &&'static [&'static str]| {
            Ok(Member { runs, clock: time.file()?, process: None, started: Instant::now(), stopped: false })
        };
        let members = crew.iter().map(member).collect::<Result<Vec<_>>>()?;
        let mut fleet = Self { members, orders, time: Arc::clone(time) };
        for place in 0..fleet.len() {
            fleet.start(place, None)?;
        }
        Ok(fleet)
    }

    /// How many processes there are.
    pub(crate) fn len(&self) -> usize {
        self.members.len()
    }

    /// What a process runs.
    pub(crate) fn runs(&self, place: usize) -> &'static str {
        self.members[place].runs[0]
    }

    /// Starts a process, with a step at which it dies where one is named.
    pub(crate) fn start(&mut self, place: usize, armed: Option<&str>) -> Result<()> {
        let member = &mut self.members[place];
        let mut command = product(&self.orders.settings);
        command.arg("run").args(member.runs);
        command.env("FP_CLOCK", &member.clock).env("FP_HITS", &self.orders.hits);
        if let Some(armed) = armed {
            command.env("FP", armed);
        }
        if let Some(bug) = self.orders.planted {
            command.env("PLANTED", bug);
        }
        member.process = Some(Process::start(command, member.runs[0], &self.orders.log)?);
        (member.started, member.stopped) = (Instant::now(), false);
        Ok(())
    }

    /// Kills a process and starts it again.
    pub(crate) async fn kill(&mut self, place: usize, armed: Option<&str>) -> Result<()> {
        if let Some(mut process) = self.members[place].process.take() {
            process.kill().await?;
        }
        self.start(place, armed)
    }

    /// Asks a process to end while its successor runs already.
    pub(crate) async fn replace(&mut self, place: usize) -> Result<()> {
        let old = self.members[place].process.take();
        self.start(place, None)?;
        if let Some(mut old) = old {
            if old.ended()?.is_some() {
                return Ok(());
            }
            old.signal(Signal::SIGCONT)?;
            old.stop().await?;
        }
        Ok(())
    }

    /// Stops a process in its tracks, or lets it go on.
    pub(crate) fn hold(&mut self, place: usize, signal: Signal) -> Result<()> {
        let member = &mut self.members[place];
        if let Some(process) = &member.process {
            process.signal(signal)?;
            member.stopped = signal == Signal::SIGSTOP;
        }
        Ok(())
    }

    /// The clock of a process.
    pub(crate) fn clock(&self, place: usize) -> &Path {
        &self.members[place].clock
    }

    /// The clocks of all.
    pub(crate) fn time(&self) -> &Time {
        &self.time
    }

    /// Starts again whatever died at a step that was armed; answers how many did.
    ///
    /// # Errors
    /// When one ended in any other way: no accident of a run is a reason to give up.
    pub(crate) fn revive(&mut self) -> Result<u64> {
        let mut died = 0;
        for place in 0..self.len() {
            let Some(process) = &mut self.members[place].process else { continue };
            let Some(status) = process.ended()? else { continue };
            let killed = status.signal() == Some(Signal::SIGKILL as i32);
            // Who starts when the database is away ends again; its supervisor goes on trying.
            if !killed && self.members[place].started.elapsed() > STARTING {
                bail!("the process {} gave up: {status}", self.runs(place));
            }
            died += u64::from(killed);
            self.start(place, None)?;
        }
        Ok(died)
    }

    /// Whether a process has died.
    pub(crate) fn has_died(&mut self, place: usize) -> Result<bool> {
        match &mut self.members[place].process {
            Some(process) => Ok(process.ended()?.is_some()),
            None => Ok(true),
        }
    }

    /// Everybody goes on, and nobody is armed any more.
    pub(crate) fn calm(&mut self) -> Result<()> {
        for place in 0..self.len() {
            if self.members[place].stopped {
                self.hold(place, Signal::SIGCONT)?;
            }
        }
        self.time.calm()
    }

    /// Asks all of them to end.
    pub(crate) async fn land(mut self) -> Result<()> {
        self.revive()?;
        for member in &mut self.members {
            if let Some(process) = member.process.take() {
                process.stop().await?;
            }
        }
        Ok(())
    }
}

/// The product with its failpoints, on the servers that `settings` names.
pub(crate) fn product(settings: &Path) -> Command {
    let mut command = Command::new(beside("outflow-faulty"));
    command.args(["--log-level", "warn"]).env("OUTFLOW_CONFIG", settings);
    for name in ["OUTFLOW_DATABASE_URL", "OUTFLOW_AMQP_URL", "FP", "FP_HITS", "FP_CLOCK", "PLANTED"] {
        command.env_remove(name);
    }
    command.stdout(Stdio::null());
    command
}
