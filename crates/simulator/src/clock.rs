//! The simulator's clock: the machine's, or one that a caller moves.
//!
//! Business time (windows, limits, settlement, statements) is read here. The
//! two wires that compare clocks with a real SDK (the `WeChat` timestamp header
//! and its 300 s window) use [`wall_seconds`] in addition, because an unmodified
//! SDK knows nothing of a virtual clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};
use std::time::{SystemTime, UNIX_EPOCH};

use chrono::{DateTime, FixedOffset};

/// The clock of the simulated world.
#[derive(Debug, Clone, Default)]
pub enum SimClock {
    /// The clock of the machine.
    #[default]
    Real,
    /// Unix milliseconds. Stands still until whoever shares the handle moves it.
    Manual(Arc<AtomicI64>),
}

/// A clock that cannot be moved was asked to move.
#[derive(Debug, thiserror::Error)]
#[error("the simulator runs on the real clock, which cannot be moved; start it with --clock virtual")]
pub struct NotMovable;

impl SimClock {
    /// A manual clock that stands at `unix_ms`.
    #[must_use]
    pub fn manual(unix_ms: i64) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(unix_ms)))
    }

    /// The moment in unix milliseconds.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        match self {
            Self::Real => wall_ms(),
            Self::Manual(ms) => ms.load(SeqCst),
        }
    }

    /// Sets a manual clock to `unix_ms`.
    ///
    /// # Errors
    /// [`NotMovable`] on the real clock.
    pub fn set_ms(&self, unix_ms: i64) -> Result<(), NotMovable> {
        match self {
            Self::Real => Err(NotMovable),
            Self::Manual(ms) => {
                ms.store(unix_ms, SeqCst);
                Ok(())
            }
        }
    }
}

/// Milliseconds since 1970 on the machine's clock.
pub(crate) fn wall_ms() -> i64 {
    #[expect(clippy::disallowed_methods, reason = "this is the one place of the simulator")]
    let now = SystemTime::now();
    let since = now.duration_since(UNIX_EPOCH).expect("the machine's clock is past 1970");
    i64::try_from(since.as_millis()).expect("milliseconds since 1970 fit 63 bits")
}

/// Seconds since 1970 on the machine's clock.
pub(crate) fn wall_seconds() -> i64 {
    wall_ms() / 1000
}

/// The moment as Beijing time, in which all four channels write their times.
pub(crate) fn beijing(unix_ms: i64) -> DateTime<FixedOffset> {
    let offset = FixedOffset::east_opt(8 * 3600).expect("eight hours are within a day");
    DateTime::from_timestamp_millis(unix_ms).unwrap_or_default().with_timezone(&offset)
}

/// `2026-11-23T10:00:00+08:00`, the form of `WeChat`, the bank and `/_sim`.
pub(crate) fn rfc3339(unix_ms: i64) -> String {
    beijing(unix_ms).format("%Y-%m-%dT%H:%M:%S+08:00").to_string()
}

/// `2026-11-23 10:00:00`, the form of Alipay and of the statements.
pub(crate) fn spaced(unix_ms: i64) -> String {
    beijing(unix_ms).format("%Y-%m-%d %H:%M:%S").to_string()
}

/// `20261123100000`, the form of `UnionPay` and of reference numbers.
pub(crate) fn compact(unix_ms: i64) -> String {
    beijing(unix_ms).format("%Y%m%d%H%M%S").to_string()
}

/// Reads an RFC 3339 moment into unix milliseconds.
pub(crate) fn parse_rfc3339(text: &str) -> Option<i64> {
    DateTime::parse_from_rfc3339(text).ok().map(|moment| moment.timestamp_millis())
}
