//! The days between two moments, counted as the bank counts them (R7b).

use chrono::{DateTime, Days, NaiveDate, Utc};
use domain::{Calendar, date_in_shanghai};

use crate::command::calendar::kind;

/// One line about the days after `approved` up to its deadline: working days
/// with their numbers, and the days off in between.
pub(crate) fn walk(calendar: &Calendar, approved: DateTime<Utc>) -> String {
    let last = date_in_shanghai(calendar.bank_deadline(approved).at);
    let mut date = date_in_shanghai(approved);
    let (mut counted, mut parts, mut off) = (0, Vec::new(), Vec::new());
    while date < last {
        date = date.checked_add_days(Days::new(1)).expect("the demo ends in 2026");
        if calendar.is_working_day(date) {
            parts.extend(rest(&mut off));
            counted += 1;
            let extra = if kind(calendar, date) == "a make-up working day" { " make-up" } else { "" };
            parts.push(format!("{} ({counted}{extra})", date.format("%m-%d")));
        } else {
            off.push(date);
        }
    }
    parts.join(" ")
}

/// Days off as one part, taken out of the list.
fn rest(off: &mut Vec<NaiveDate>) -> Option<String> {
    let days = std::mem::take(off);
    let (first, last) = (days.first()?, days.last()?);
    let range = if first == last {
        first.format("%m-%d").to_string()
    } else {
        format!("{}…{}", first.format("%m-%d"), last.format("%m-%d"))
    };
    Some(format!("[{range} off]"))
}

#[cfg(test)]
mod tests {
    use super::walk;
    use crate::settings::Settings;

    #[test]
    fn r7b_seven_working_days_cross_two_holidays() {
        let calendar = Settings::default().calendar().unwrap();
        let line = walk(&calendar, "2026-09-23T09:30:00+08:00".parse().unwrap());
        let expected = "09-24 (1) [09-25…09-27 off] 09-28 (2) 09-29 (3) 09-30 (4) [10-01…10-07 off] 10-08 (5) 10-09 (6) 10-10 (7 make-up)";
        assert_eq!(line, expected);
    }
}
