//! What a run came to, for people.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use workers::Clock;

use crate::audience::Heard;
use crate::meter::Usage;
use crate::paced::Latency;
use crate::signing::Floor;

/// What the invariants were asked of.
pub(crate) struct Books {
    pub(crate) invariants: usize,
    pub(crate) movements: usize,
}

/// What the servers alone take for a run: its commits with plain rows, and its messages,
/// each confirmed and taken again.
pub(crate) struct Bare {
    pub(crate) commits: u64,
    pub(crate) rows: u64,
    pub(crate) writing: Duration,
    pub(crate) messages: usize,
    pub(crate) carrying: Duration,
}

/// A run.
pub(crate) struct Report {
    pub(crate) withdrawals: usize,
    pub(crate) legs: Vec<(String, i64)>,
    /// Calls of gateways until the last of them was completed.
    pub(crate) calls: u64,
    pub(crate) heard: Heard,
    pub(crate) first_taken: DateTime<Utc>,
    pub(crate) usage: Vec<Usage>,
    pub(crate) latency: Option<Latency>,
    /// Nothing where nobody signs.
    pub(crate) rsa: Option<Floor>,
    pub(crate) bare: Bare,
    pub(crate) books: Books,
    pub(crate) servers: String,
}

impl Report {
    /// From the first request taken to the event with that place.
    ///
    /// The beginning is in a row by the workers' clock, the event was heard by
    /// ours: both are the machine's.
    fn until(&self, place: usize) -> Duration {
        let now = Clock::System.now();
        let ago = self.heard.completed[place].elapsed();
        (now - self.first_taken).to_std().unwrap_or_default().saturating_sub(ago)
    }
}

impl Report {
    /// What the servers alone would take on this machine.
    fn bare(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Bare { commits, rows, writing, messages, carrying } = self.bare;
        let rate = |took: Duration| self.withdrawals as u128 * 1_000_000 / took.as_micros().max(1);
        writeln!(
            f,
            "\n{commits} commits with {rows} plain rows and nothing else: {:.1} s, {} withdrawals/s",
            writing.as_secs_f64(),
            rate(writing)
        )?;
        writeln!(
            f,
            "{messages} messages, confirmed and taken again, and nothing else: {:.1} s, {} withdrawals/s",
            carrying.as_secs_f64(),
            rate(carrying)
        )?;
        writeln!(f, "both: {} withdrawals/s", rate(writing + carrying))
    }

    /// What bare RSA alone would cost on this machine, next to everything.
    fn limit(&self, f: &mut fmt::Formatter<'_>, rsa: &Floor, total_us: u64) -> fmt::Result {
        let us = |it: Duration| u64::try_from(it.as_micros()).unwrap_or(u64::MAX);
        let (sign, verify) = (us(rsa.sign), us(rsa.verify));
        // Each side signs what it says and verifies what it hears.
        let floor = self.calls * 2 * (sign + verify);
        let count = self.withdrawals as u64;
        let cores = std::thread::available_parallelism().map_or(1, |it| it.get() as u64);
        writeln!(f, "\nRSA-2048 in this run: sign {sign} µs, verify {verify} µs; {} calls", self.calls)?;
        writeln!(
            f,
            "bare RSA {} µs each, {}% of what was spent; {cores} cores could do {}/s of it and nothing else, {}/s of everything",
            floor / count,
            floor * 100 / total_us.max(1),
            cores * 1_000_000 * count / floor.max(1),
            cores * 1_000_000 * count / total_us.max(1),
        )
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.withdrawals;
        let legs: Vec<String> = self.legs.iter().map(|(rail, count)| format!("{rail} {count}")).collect();
        let events: usize = self.heard.events.values().sum();
        writeln!(f, "\n{count} withdrawals, legs: {}; {events} events heard", legs.join(", "))?;
        writeln!(f, "PostgreSQL {}; quorum queues, every publish confirmed", self.servers)?;
        writeln!(f, "\n{:<34}{:>10}{:>16}", "first request taken until", "seconds", "withdrawals/s")?;
        for (name, share) in [("half are completed", 0.5), ("nine in ten", 0.9), ("all of them", 1.0)] {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss,
                reason = "a place in a list"
            )]
            let place = ((count as f64 * share) as usize).max(1);
            let seconds = self.until(place - 1).as_secs_f64();
            #[expect(clippy::cast_precision_loss, reason = "for people")]
            let rate = place as f64 / seconds;
            writeln!(f, "{name:<34}{seconds:>10.1}{rate:>16.0}")?;
        }
        writeln!(f, "\n{:<34}{:>10}{:>16}", "processor time, peak memory", "µs each", "MiB")?;
        let total: u64 = self.usage.iter().map(|it| it.cpu_ms).sum();
        let each = |cpu_ms: u64| cpu_ms * 1000 / count as u64;
        for it in &self.usage {
            writeln!(f, "{:<34}{:>10}{:>16}", it.name, each(it.cpu_ms), it.memory_kib / 1024)?;
        }
        writeln!(f, "{:<34}{:>10}", "together", each(total))?;
        if let Some(rsa) = &self.rsa {
            self.limit(f, rsa, total * 1000)?;
        }
        self.bare(f)?;
        if let Some(latency) = &self.latency {
            write!(f, "{latency}")?;
        }
        let Books { invariants, movements } = &self.books;
        writeln!(f, "\n{invariants} invariants hold with {movements} movements in the simulator's own book")
    }
}
