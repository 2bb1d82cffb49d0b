//! What a run costs: processor time and memory, by who spends them.

use std::fs;

use crate::scene::Scene;

/// Ticks of `/proc/PID/stat` in a second: the same on every Linux.
const TICKS_PER_SECOND: u64 = 100;

/// Somebody's processes.
type Pids<'a> = Box<dyn Fn() -> Vec<u32> + Send + 'a>;

/// What one of them cost.
#[derive(Debug, Clone)]
pub(crate) struct Usage {
    /// Who.
    pub(crate) name: &'static str,
    /// Processor time, in milliseconds.
    pub(crate) cpu_ms: u64,
    /// The most memory at one look, shared pages counted once, in KiB.
    pub(crate) memory_kib: u64,
}

/// Watches a run.
pub(crate) struct Meter<'a> {
    groups: Vec<(Pids<'a>, u64, Usage)>,
}

impl<'a> Meter<'a> {
    /// Begins to count.
    pub(crate) fn start(scene: &'a Scene, product: Vec<u32>) -> Self {
        let own = std::process::id();
        let simulator = scene.simulator_pid();
        let groups: [(&'static str, Pids<'a>); 5] = [
            ("PostgreSQL", Box::new(|| scene.postgres_pids())),
            ("RabbitMQ", Box::new(|| scene.rabbitmq_pids())),
            ("simulator", Box::new(move || vec![simulator])),
            ("outflow", Box::new(move || product.clone())),
            ("this listener", Box::new(move || vec![own])),
        ];
        let groups = groups.map(|(name, pids)| {
            let before = cpu_ms(&pids());
            (pids, before, Usage { name, cpu_ms: 0, memory_kib: 0 })
        });
        Self { groups: groups.into() }
    }

    /// Looks at everybody.
    pub(crate) fn look(&mut self) {
        for (pids, before, usage) in &mut self.groups {
            let pids = pids();
            usage.cpu_ms = usage.cpu_ms.max(cpu_ms(&pids).saturating_sub(*before));
            usage.memory_kib = usage.memory_kib.max(memory_kib(&pids));
        }
    }

    /// What it all came to by the last look.
    pub(crate) fn stop(self) -> Vec<Usage> {
        self.groups.into_iter().map(|(_, _, usage)| usage).collect()
    }
}

/// Processor time of processes and of their children that have ended.
pub(crate) fn cpu_ms(pids: &[u32]) -> u64 {
    let ticks = pids.iter().filter_map(|pid| ticks(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?));
    ticks.sum::<u64>() * 1000 / TICKS_PER_SECOND
}

/// The four times in a line of `/proc/PID/stat`. The name before them may hold
/// spaces and brackets.
fn ticks(line: &str) -> Option<u64> {
    let (_, rest) = line.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    fields.get(11..15)?.iter().map(|field| field.parse::<u64>().ok()).sum()
}

/// Memory of processes. What they share, files and shared memory, is counted once, as
/// far as the one that touched most of it did: the exact share of every page would cost
/// the run a twentieth of its processor time.
pub(crate) fn memory_kib(pids: &[u32]) -> u64 {
    let each = pids.iter().filter_map(|pid| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        Some([kib(&status, "RssAnon:")?, kib(&status, "RssFile:")?, kib(&status, "RssShmem:")?])
    });
    let [own, files, shared] =
        each.fold([0; 3], |all, it| [all[0] + it[0], all[1].max(it[1]), all[2].max(it[2])]);
    own + files + shared
}

/// A line of `/proc/PID/status`.
fn kib(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{kib, ticks};

    #[test]
    fn times_are_found_behind_any_name() {
        let line = "42 (a) b (c) S 1 42 42 0 -1 4194560 7 0 0 0 10 20 3 4 20 0 9 0 4711";
        assert_eq!(ticks(line), Some(37));
        assert_eq!(ticks("42 (cut short) S 1"), None);
    }

    #[test]
    fn a_line_of_memory_is_read() {
        let status = "Name:\tpostgres\nVmRSS:\t     900 kB\nRssAnon:\t     123 kB\nRssFile:\t       5 kB\n";
        assert_eq!(kib(status, "RssAnon:"), Some(123));
        assert_eq!(kib(status, "RssShmem:"), None);
    }
}
