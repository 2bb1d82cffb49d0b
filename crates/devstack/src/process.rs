//! Processes that are told apart from a later one with the same number.
//!
//! Linux hands process ids out again. A process is therefore known by its id
//! and by the tick of its start: nothing is ever signalled on the id alone.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

/// How often a process is looked at that is about to end.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// One process, for as long as this machine runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Process {
    /// The process id.
    pub(crate) pid: u32,
    /// Clock ticks from the start of the machine to the start of the process.
    pub(crate) started: u64,
}

impl Process {
    /// The process that has this id now; `None` if there is none, or a dead one.
    pub(crate) fn with_pid(pid: u32) -> Option<Self> {
        let Stat { state, started, .. } = Stat::of(pid)?;
        (!matches!(state, 'Z' | 'X')).then_some(Self { pid, started })
    }

    /// This very process.
    pub(crate) fn own() -> Self {
        Self::with_pid(std::process::id()).expect("a process that runs has a line in /proc")
    }

    /// Whether it still runs.
    pub(crate) fn is_alive(self) -> bool {
        Self::with_pid(self.pid) == Some(self)
    }

    /// Sends `signal`, unless the process is gone.
    pub(crate) fn signal(self, signal: Signal) {
        if let Ok(pid) = i32::try_from(self.pid)
            && self.is_alive()
        {
            // It may end by itself in between, which is what was wanted anyway.
            let _ = kill(Pid::from_raw(pid), signal);
        }
    }

    /// Its id and those of its living descendants.
    pub(crate) fn family(self) -> Vec<u32> {
        let parents: Vec<(u32, u32)> =
            all_pids().filter_map(|pid| Some((pid, Stat::of(pid)?.parent))).collect();
        let mut family = vec![self.pid];
        let mut next = 0;
        while let Some(&member) = family.get(next) {
            family.extend(parents.iter().filter(|(_, parent)| *parent == member).map(|(pid, _)| *pid));
            next += 1;
        }
        family
    }
}

/// Sends each process its signal, waits, and kills those that are left.
///
/// Blocks the thread for `grace` and a little more at the very most.
pub(crate) fn end_all(processes: &[(Process, Signal)], grace: Duration) {
    for (process, signal) in processes {
        process.signal(*signal);
    }
    let is_over = || processes.iter().all(|(process, _)| !process.is_alive());
    if wait_until(&is_over, grace) {
        return;
    }
    for (process, _) in processes {
        process.signal(Signal::SIGKILL);
    }
    wait_until(&is_over, Duration::from_secs(5));
}

/// The living processes whose environment has the entry `NAME=value`.
pub(crate) fn with_environment(entry: &str) -> Vec<Process> {
    let carries = |pid: &u32| {
        fs::read(format!("/proc/{pid}/environ"))
            .is_ok_and(|environ| environ.split(|byte| *byte == 0).any(|it| it == entry.as_bytes()))
    };
    all_pids().filter(carries).filter_map(Process::with_pid).collect()
}

/// Polls `condition` for at most `patience`.
fn wait_until(condition: &impl Fn() -> bool, patience: Duration) -> bool {
    let began = Instant::now();
    while !condition() {
        if began.elapsed() > patience {
            return false;
        }
        thread::sleep(LOOK_EVERY);
    }
    true
}

/// The ids of all processes that can be seen.
fn all_pids() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// What is needed of `/proc/PID/stat`.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    state: char,
    parent: u32,
    started: u64,
}

impl Stat {
    /// Reads the line of one process.
    fn of(pid: u32) -> Option<Self> {
        Self::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    /// The second field is a name that may hold spaces and brackets itself, so
    /// everything is counted from the last closing bracket.
    fn parse(line: &str) -> Option<Self> {
        let (_, rest) = line.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        Some(Self {
            state: fields.first()?.chars().next()?,
            parent: fields.get(1)?.parse().ok()?,
            started: fields.get(19)?.parse().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Process, Stat};

    #[test]
    fn a_process_is_found_behind_any_name_it_gave_itself() {
        let tail = "S 7 1 1 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4711 0 0";
        for name in ["(beam.smp)", "(a) R 9 (b)", "()"] {
            let expected = Some(Stat { state: 'S', parent: 7, started: 4711 });
            assert_eq!(Stat::parse(&format!("42 {name} {tail}")), expected, "{name}");
        }
        assert_eq!(Stat::parse("42 (cut short) S 7"), None);
    }

    #[test]
    fn the_same_number_with_another_start_is_another_process() {
        let own = Process::own();
        assert!(own.is_alive());
        assert!(!Process { started: own.started + 1, ..own }.is_alive());
    }
}
