//! What the histories came to, for people.

use std::fmt;
use std::time::Duration;

use anyhow::{Result, ensure};

/// The longest history may cost so many times what the shortest does.
const LIMIT: f64 = 1.5;

/// What the requests of one history cost.
#[derive(Debug, Clone)]
pub(super) struct Cost {
    /// Top-ups of each account.
    pub(super) top_ups: usize,
    pub(super) requests: usize,
    pub(super) wall: Duration,
    /// Processor time of PostgreSQL.
    pub(super) server: Duration,
}

/// A run.
pub(super) struct Report {
    /// Without old withdrawals.
    pub(super) fresh: Vec<Cost>,
    /// With them.
    pub(super) aged: Vec<Cost>,
    /// The slices statement of each history, as PostgreSQL ran it.
    pub(super) plans: Vec<(usize, String)>,
    pub(super) old: i64,
    /// How many invariants held; none when they were not asked.
    pub(super) invariants: Option<usize>,
}

impl Cost {
    pub(super) const fn of(top_ups: usize) -> Self {
        Self { top_ups, requests: 0, wall: Duration::ZERO, server: Duration::ZERO }
    }

    #[expect(clippy::cast_precision_loss, reason = "for people")]
    fn each(&self, whole: Duration) -> f64 {
        whole.as_secs_f64() * 1e6 / self.requests as f64
    }
}

/// Last to first, in time and in processor time.
fn ratios(costs: &[Cost]) -> Option<(f64, f64)> {
    let (first, last) = (costs.first()?, costs.last()?);
    Some((last.each(last.wall) / first.each(first.wall), last.each(last.server) / first.each(first.server)))
}

impl Report {
    /// The cheapest of the first run against the dearest of the second.
    fn with_age(&self) -> Option<f64> {
        let server = |costs: &[Cost]| costs.iter().map(|it| it.each(it.server)).sum::<f64>();
        (!self.fresh.is_empty()).then(|| server(&self.aged) / server(&self.fresh))
    }

    /// # Errors
    /// When a history, or what is old, costs more processor time than it may.
    pub(super) fn verdict(&self) -> Result<()> {
        for (what, costs) in [("without", &self.fresh), ("with", &self.aged)] {
            if let Some((_, server)) = ratios(costs) {
                ensure!(
                    server <= LIMIT,
                    "{what} old withdrawals the longest history costs {server:.2} times"
                );
            }
        }
        let aged = self.with_age().unwrap_or(1.0);
        ensure!(aged <= LIMIT, "with old withdrawals a request costs {aged:.2} times what it did before");
        Ok(())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (size, plan) in &self.plans {
            writeln!(f, "\nthe newest slices of an account of {size} top-ups\n{plan}")?;
        }
        for (old, costs) in [(0, &self.fresh), (self.old, &self.aged)] {
            writeln!(f, "\n{old} old withdrawals; requests that touch 3 slices, 3 in a batch")?;
            writeln!(f, "{:>12}{:>12}{:>16}{:>20}", "top-ups", "requests", "µs each", "µs of PostgreSQL")?;
            for it in costs {
                let (wall, server) = (it.each(it.wall), it.each(it.server));
                writeln!(f, "{:>12}{:>12}{wall:>16.0}{server:>20.0}", it.top_ups, it.requests)?;
            }
            if let Some((wall, server)) = ratios(costs) {
                writeln!(f, "{:>24}{wall:>16.2}{server:>20.2}", "last to first")?;
            }
        }
        if let Some(aged) = self.with_age() {
            writeln!(
                f,
                "\nprocessor time with old withdrawals to without: {aged:.2}; at most {LIMIT} is allowed"
            )?;
        }
        match self.invariants {
            Some(count) => writeln!(f, "{count} invariants hold; those of the outbox were not asked"),
            None => writeln!(f, "the invariants were not asked: that would take longer than a statement may"),
        }
    }
}
