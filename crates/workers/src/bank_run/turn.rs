//! Whose turn it is: which cut-off goes out now, and which one a leg waits for.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use domain::{CutOff, date_in_shanghai, end_of_day};
use store::bank_runs::{DueLeg, FileState};

use super::BankRules;

/// The bank's word for a file that came after its own cut-off.
const TOO_LATE: &str = "TM01";

impl BankRules {
    /// The cut-off whose payouts go out at `at`.
    pub(super) fn current(&self, at: DateTime<Utc>) -> CutOff {
        self.calendar.last_cut_off(at, &self.cut_offs)
    }

    /// The first cut-off after `at`.
    pub(super) fn next(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        self.calendar.next_cut_off(at + TimeDelta::milliseconds(1), &self.cut_offs).at
    }

    /// The day on which the bank is asked to execute what goes out at `at`: this
    /// one, or the next working day.
    pub(super) fn execution_day(&self, at: DateTime<Utc>) -> NaiveDate {
        let today = date_in_shanghai(at);
        let mut days = today.iter_days();
        days.find(|day| self.calendar.is_working_day(*day)).expect("a working day comes")
    }

    /// Until when a due leg waits for its next turn; nothing when it is now.
    ///
    /// A leg that the bank put off has had its turn in that run. One that came too
    /// late for the bank goes on the next working day.
    pub(super) fn waits_until(&self, leg: &DueLeg, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let last = leg.last.as_ref().filter(|it| it.state == FileState::Answered)?;
        let from = if leg.code.as_deref() == Some(TOO_LATE) {
            end_of_day(last.execute_on)
        } else {
            last.cut_off.at()
        };
        Some(self.next(from)).filter(|until| *until > at)
    }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveTime;
    use domain::{CutOff, Money};
    use store::bank_runs::{DueLeg, FileState, LastFile};
    use uuid::Uuid;

    use super::BankRules;

    fn rules() -> BankRules {
        let cut_offs = ["11:00:00", "16:30:00"].map(|it| it.parse().expect("a time")).to_vec();
        BankRules { cut_offs, ..BankRules::default() }
    }

    /// The code, the state of the last file, and until when a leg of Tuesday's first
    /// run waits at noon.
    #[test]
    fn a_leg_has_one_turn_in_a_run() {
        let at = "2026-03-10T12:00:00+08:00".parse().expect("a moment");
        let cut_off =
            CutOff { day: "2026-03-10".parse().expect("a day"), time: "11:00:00".parse().expect("a time") };
        for (code, state, until) in [
            ("AM04", FileState::Answered, "2026-03-10T16:30:00+08:00"),
            ("TM01", FileState::Answered, "2026-03-11T11:00:00+08:00"),
            ("AM04", FileState::Void, ""),
        ] {
            let last = Some(LastFile { state, execute_on: cut_off.day, cut_off });
            let leg = DueLeg { id: Uuid::nil(), amount: Money::ZERO, code: Some(code.to_owned()), last };
            let expected = (!until.is_empty()).then(|| until.parse().expect("a moment"));
            assert_eq!(rules().waits_until(&leg, at), expected, "{code} {state}");
        }
        let newcomer = DueLeg { id: Uuid::nil(), amount: Money::ZERO, code: None, last: None };
        assert_eq!(rules().waits_until(&newcomer, at), None);
    }

    #[test]
    fn what_goes_out_on_a_day_off_is_executed_on_the_next_working_day() {
        for (at, expected) in [
            ("2026-03-10T17:00:00+08:00", "2026-03-10"),
            ("2026-03-13T23:59:59+08:00", "2026-03-13"),
            ("2026-03-14T00:00:00+08:00", "2026-03-16"), // a Saturday
        ] {
            let day = rules().execution_day(at.parse().expect("a moment"));
            assert_eq!(day, expected.parse().expect("a day"), "{at}");
        }
        assert_eq!(rules().cut_offs[0], NaiveTime::from_hms_opt(11, 0, 0).expect("a time"));
    }
}
