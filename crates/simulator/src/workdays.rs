//! Working days by the State Council's calendar: what a bank counts in.
//!
//! The table holds days off and make-up workdays. A year it does not cover is
//! counted by weekends alone, which is good enough for a simulator.

use std::collections::HashMap;
use std::sync::LazyLock;

use chrono::{Datelike as _, Days, NaiveDate, Weekday};

use crate::clock::beijing;

const DAY_MS: i64 = 24 * 3_600_000;

/// Listed days, and whether each is worked.
static LISTED: LazyLock<HashMap<NaiveDate, bool>> = LazyLock::new(|| {
    include_str!("workdays.csv")
        .lines()
        .skip(1)
        .filter_map(|line| {
            let mut columns = line.split(',');
            let date = columns.next()?.parse().ok()?;
            Some((date, columns.next()? == "workday"))
        })
        .collect()
});

fn is_worked(date: NaiveDate) -> bool {
    let weekday = !matches!(date.weekday(), Weekday::Sat | Weekday::Sun);
    LISTED.get(&date).copied().unwrap_or(weekday)
}

/// The same time of day, `count` working days later, in unix milliseconds.
pub(crate) fn after(from_ms: i64, count: u32) -> i64 {
    let mut date = beijing(from_ms).date_naive();
    let (mut days, mut left) = (0, count);
    while left > 0 {
        date = date.checked_add_days(Days::new(1)).unwrap_or(NaiveDate::MAX);
        days += 1;
        left -= u32::from(is_worked(date));
    }
    from_ms + days * DAY_MS
}

#[cfg(test)]
mod tests {
    use super::after;
    use crate::clock::{parse_rfc3339, rfc3339};

    #[test]
    fn holidays_are_skipped_and_make_up_days_count() {
        for (from, count, expected) in [
            ("2026-09-21T10:00:00+08:00", 3, "2026-09-24T10:00:00+08:00"),
            ("2026-02-14T10:00:00+08:00", 7, "2026-03-03T10:00:00+08:00"),
            ("2026-09-23T16:50:00+08:00", 7, "2026-10-10T16:50:00+08:00"),
            ("2026-09-23T16:50:00+08:00", 0, "2026-09-23T16:50:00+08:00"),
        ] {
            let from_ms = parse_rfc3339(from).expect("a moment");
            assert_eq!(rfc3339(after(from_ms, count)), expected, "{count} after {from}");
        }
    }
}
