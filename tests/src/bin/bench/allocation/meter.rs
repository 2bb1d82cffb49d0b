//! Processor time of a server's processes, to the nanosecond.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

/// What each process had used when the measurement began.
pub(super) struct Meter(HashMap<u32, u64>);

impl Meter {
    pub(super) fn start(pids: &[u32]) -> Self {
        Self(pids.iter().filter_map(|pid| Some((*pid, used(*pid)?))).collect())
    }

    /// What they have used since. One that came meanwhile counts from its beginning.
    pub(super) fn stop(&self, pids: &[u32]) -> Duration {
        let since =
            |pid: &u32| Some(used(*pid)?.saturating_sub(self.0.get(pid).copied().unwrap_or_default()));
        Duration::from_nanos(pids.iter().filter_map(since).sum())
    }
}

/// The first number of `/proc/PID/schedstat`: nanoseconds on a processor. A
/// server of PostgreSQL is a process of one thread.
fn used(pid: u32) -> Option<u64> {
    fs::read_to_string(format!("/proc/{pid}/schedstat")).ok()?.split_whitespace().next()?.parse().ok()
}
