//! The clock, without a trait: the machine's, or one that a test moves.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};
use std::time::Duration;

use chrono::{DateTime, Utc};

/// A worker reads its clock once per unit of work and hands the moment down.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The clock of the machine.
    System,
    /// Milliseconds since 1970. Stands still until a test or a simulation moves it.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands at `moment` until it is moved.
    #[must_use]
    pub fn manual(moment: DateTime<Utc>) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(moment.timestamp_millis())))
    }

    /// The moment, to the millisecond.
    ///
    /// # Panics
    /// When a manual clock was set outside the years that chrono can count.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        let millis = match self {
            #[expect(clippy::disallowed_methods, reason = "this is the one place that asks the machine")]
            Self::System => Utc::now().timestamp_millis() + error_ms(),
            Self::Manual(millis) => millis.load(SeqCst),
        };
        DateTime::from_timestamp_millis(millis).expect("a moment within chrono's years")
    }

    /// Moves a manual clock forward. The machine's clock cannot be moved.
    ///
    /// # Panics
    /// When the step is longer than 300 million years.
    pub fn advance(&self, by: Duration) {
        if let Self::Manual(millis) = self {
            millis.fetch_add(
                i64::try_from(by.as_millis()).expect("a step of less than 300 million years"),
                SeqCst,
            );
        }
    }

    /// Moves a manual clock forward to `moment`; never back.
    pub fn advance_to(&self, moment: DateTime<Utc>) {
        if let Self::Manual(millis) = self {
            millis.fetch_max(moment.timestamp_millis(), SeqCst);
        }
    }
}

/// By how much a test makes this machine's clock wrong.
fn error_ms() -> i64 {
    #[cfg(feature = "failpoints")]
    return crate::failpoint::clock_error_ms();
    #[cfg(not(feature = "failpoints"))]
    0
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Clock;

    #[test]
    fn a_manual_clock_moves_only_forward_and_only_when_told() {
        let start = "2026-09-29T08:50:00Z".parse().expect("a moment");
        let clock = Clock::manual(start);
        assert_eq!(clock.now(), start);
        clock.advance(Duration::from_mins(1));
        clock.advance_to(start);
        assert_eq!(clock.now(), start + Duration::from_mins(1));
    }
}
