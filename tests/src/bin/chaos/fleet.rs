//! The workers of a run, each a process of its own that is started again when it dies.

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
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
    &["parking"],
    &["verify"],
    &["reconcile"],
];

/// The pause before a process that ended unasked is started again.
const PAUSE: Duration = Duration::from_millis(500);

/// A process that has lived for so long got somewhere.
const STEADY: Duration = Duration::from_secs(10);

/// So often in a row a process may end without having got anywhere.
const RESTARTS: usize = 60;

/// The exit status of a Rust program that panicked.
const PANICKED: i32 = 101;

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
    /// The database without a user: each worker comes as its own role (S05).
    pub(crate) database: String,
    /// What the names of the roles begin with.
    pub(crate) roles: String,
}

impl Orders {
    /// The database as the role of a worker.
    pub(crate) fn database_of(&self, worker: &str) -> String {
        let (scheme, place) = self.database.split_once("://").expect("an address has a scheme");
        format!("{scheme}://{}_{worker}@{place}", self.roles)
    }
}

/// One of them.
#[derive(Debug)]
struct Member {
    runs: &'static [&'static str],
    clock: PathBuf,
    /// Nothing while its supervisor waits before it starts it again.
    process: Option<Process>,
    /// When it was started, or ended.
    since: Instant,
    stopped: bool,
    /// How often it ended unasked since it last got somewhere.
    failures: usize,
}

/// All of them.
#[derive(Debug)]
pub(crate) struct Fleet {
    members: Vec<Member>,
    orders: Orders,
    time: Arc<Time>,
    died: u64,
    restarted: u64,
    /// What ended unasked since somebody looked.
    ended: Vec<String>,
}

impl Fleet {
    /// Starts every process of `crew`.
    pub(crate) fn launch(
        crew: &'static [&'static [&'static str]],
        orders: Orders,
        time: &Arc<Time>,
    ) -> Result<Self> {
        let member = |runs: &&'static [&'static str]| {
            let (clock, since) = (time.file()?, Instant::now());
            Ok(Member { runs, clock, process: None, since, stopped: false, failures: 0 })
        };
        let members = crew.iter().map(member).collect::<Result<Vec<_>>>()?;
        let mut fleet =
            Self { members, orders, time: Arc::clone(time), died: 0, restarted: 0, ended: Vec::new() };
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
        command.env("OUTFLOW_DATABASE_URL", self.orders.database_of(member.runs[0]));
        command.env("FP_CLOCK", &member.clock).env("FP_HITS", &self.orders.hits);
        if let Some(armed) = armed {
            command.env("FP", armed);
        }
        if let Some(bug) = self.orders.planted {
            command.env("PLANTED", bug);
        }
        member.process = Some(Process::start(command, member.runs[0], &self.orders.log)?);
        (member.since, member.stopped) = (Instant::now(), false);
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
        if let Some(old) = old {
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

    /// Starts again whatever ended, as a supervisor does: a process that starts while
    /// a server is away gives up.
    ///
    /// # Errors
    /// When one panicked, or ends again and again and gets nowhere.
    pub(crate) fn revive(&mut self) -> Result<()> {
        for place in 0..self.len() {
            let member = &mut self.members[place];
            let lasted = member.since.elapsed();
            let Some(process) = &mut member.process else {
                if lasted > PAUSE {
                    self.start(place, None)?;
                }
                continue;
            };
            let Some(status) = process.ended()? else {
                member.failures *= usize::from(lasted < STEADY);
                continue;
            };
            if status.signal() == Some(Signal::SIGKILL as i32) {
                self.ended.push(format!("{} {place} died at its step", member.runs[0]));
                self.died += 1;
                self.start(place, None)?;
                continue;
            }
            let name = member.runs[0];
            ensure!(status.code() != Some(PANICKED), "the process {name} panicked");
            member.failures = if lasted < STEADY { member.failures + 1 } else { 1 };
            ensure!(
                member.failures <= RESTARTS,
                "the process {name} ended {RESTARTS} times in a row: {status}"
            );
            (member.process, member.since) = (None, Instant::now());
            self.ended.push(format!("{name} {place} gave up: {status}"));
            self.restarted += 1;
        }
        Ok(())
    }

    /// How many processes died at the step at which they were armed.
    pub(crate) fn died(&self) -> u64 {
        self.died
    }

    /// What ended unasked since the last call, in words.
    pub(crate) fn take_ended(&mut self) -> Vec<String> {
        std::mem::take(&mut self.ended)
    }

    /// How many processes ended unasked, and were started again.
    pub(crate) fn restarted(&self) -> u64 {
        self.restarted
    }

    /// Whether a process has died at the step at which it was armed.
    ///
    /// # Errors
    /// When it ended in any other way.
    pub(crate) fn has_died(&mut self, place: usize) -> Result<bool> {
        let Some(process) = &mut self.members[place].process else { return Ok(true) };
        let Some(status) = process.ended()? else { return Ok(false) };
        let killed = status.signal() == Some(Signal::SIGKILL as i32);
        ensure!(killed, "the process {} ended unasked: {status}", self.runs(place));
        Ok(true)
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
