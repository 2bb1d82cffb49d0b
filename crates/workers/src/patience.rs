//! Waiting for what is away: the only place that decides how long.
//!
//! `backoff` serves as a source of delays and nothing else: what is tried
//! again, and whether that is safe, is each worker's own decision.

use std::time::Duration;

use backoff::ExponentialBackoff;
use backoff::backoff::Backoff;
use chrono::TimeDelta;
use domain::RetryBudget;
use tokio_util::sync::CancellationToken;
use tracing::warn;

/// Delays that grow from `first` to `last`, each with jitter, without an end.
#[derive(Debug)]
pub struct Delays(ExponentialBackoff);

impl Delays {
    /// Delays from `first` up to `last`.
    #[must_use]
    pub fn between(first: Duration, last: Duration) -> Self {
        Self(ExponentialBackoff {
            current_interval: first,
            initial_interval: first,
            max_interval: last,
            max_elapsed_time: None,
            ..ExponentialBackoff::default()
        })
    }

    /// The next delay.
    ///
    /// # Panics
    /// Never: without a time limit there is always a next one.
    pub fn next_delay(&mut self) -> Duration {
        self.0.next_backoff().expect("without a time limit there is a next delay")
    }
}

/// The delay before call number `attempt` (1 is the first repeat), with jitter.
#[must_use]
pub(crate) fn delay_of_attempt(attempt: i32, first: Duration, last: Duration) -> Duration {
    let mut delays = Delays::between(first, last);
    let mut delay = delays.next_delay();
    for _ in 1..attempt.clamp(1, 64) {
        delay = delays.next_delay();
    }
    delay
}

/// The delay before a payment that was refused for the moment is sent again, after so
/// many sends: anything between none and the longest one of its turn (full jitter),
/// so that many payments that were refused together do not come back together.
#[must_use]
pub(crate) fn retry_delay(sends: i32, budget: &RetryBudget) -> Duration {
    let longest = |it: TimeDelta| it.to_std().unwrap_or_default();
    let mut delays = ExponentialBackoff {
        // Between nothing and twice the interval.
        current_interval: longest(budget.first) / 2,
        randomization_factor: 1.0,
        multiplier: 2.0,
        max_interval: longest(budget.longest) / 2,
        max_elapsed_time: None,
        ..ExponentialBackoff::default()
    };
    let mut delay = Duration::ZERO;
    for _ in 0..sends.clamp(1, 64) {
        delay = delays.next_backoff().unwrap_or(delay);
    }
    delay
}

/// Repeats `work` for as long as the database is away or others are faster.
///
/// `None` when `stop` is raised during such a wait; a transaction that has begun
/// is never cut short.
///
/// # Errors
/// What waiting cannot mend.
pub async fn patiently<T, Work>(
    what: &'static str,
    stop: &CancellationToken,
    mut work: impl FnMut() -> Work,
) -> Result<Option<T>, store::Error>
where
    Work: Future<Output = Result<T, store::Error>>,
{
    let mut delays = Delays::between(Duration::from_millis(20), Duration::from_secs(2));
    loop {
        let error = match work().await {
            Err(error @ (store::Error::Unavailable(_) | store::Error::Stale { .. })) => error,
            done => return done.map(Some),
        };
        let delay = delays.next_delay();
        warn!(%error, ?delay, "{what} waits and tries again");
        tokio::select! {
            () = tokio::time::sleep(delay) => {}
            () = stop.cancelled() => return Ok(None),
        }
    }
}
