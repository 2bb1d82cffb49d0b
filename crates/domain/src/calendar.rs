//! Working days: the State Council's calendar, and what is counted by it.
//!
//! Dates are those of Asia/Shanghai, which has kept +08:00 without daylight
//! saving since 1991; so a fixed offset is exact for every top-up there is.

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike, Days, FixedOffset, NaiveDate, NaiveTime, TimeDelta, Utc, Weekday};

/// Working days in which a bank payout must arrive (R7).
pub const BANK_DAYS: u32 = 7;

/// A moment that was counted in working days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Counted {
    /// The moment.
    pub at: DateTime<Utc>,
    /// A day on the way to it lies in a year whose calendar is not loaded (R7b).
    pub provisional: bool,
}

/// A cut-off of the bank: a time of day on a working day, in Asia/Shanghai.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CutOff {
    /// The working day.
    pub day: NaiveDate,
    /// The time of day.
    pub time: NaiveTime,
}

impl CutOff {
    /// The moment.
    #[must_use]
    pub fn at(self) -> DateTime<Utc> {
        moment(self.day, self.time)
    }
}

/// Holidays and make-up days of the years that are loaded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Calendar {
    years: BTreeSet<i32>,
    holidays: BTreeSet<NaiveDate>,
    make_up_days: BTreeSet<NaiveDate>,
}

/// Why a year cannot be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotACalendar {
    /// A date belongs to another year.
    #[error("{date} is not a day of {year}")]
    OtherYear {
        /// The year that was to be added.
        year: i32,
        /// The date.
        date: NaiveDate,
    },
    /// A date is both off and on.
    #[error("{0} is a holiday and a make-up day")]
    Both(NaiveDate),
    /// Only a Saturday or Sunday can be made up.
    #[error("{0} is a make-up day but not a weekend")]
    NotAWeekend(NaiveDate),
}

/// China Standard Time.
fn shanghai() -> FixedOffset {
    FixedOffset::east_opt(8 * 3600).expect("eight hours are an offset")
}

/// A moment as it is told in Asia/Shanghai.
#[must_use]
pub fn in_shanghai(at: DateTime<Utc>) -> DateTime<FixedOffset> {
    at.with_timezone(&shanghai())
}

/// The date in Asia/Shanghai at a moment.
#[must_use]
pub fn date_in_shanghai(at: DateTime<Utc>) -> NaiveDate {
    in_shanghai(at).date_naive()
}

/// The moment at which it is `time` on `date` in Asia/Shanghai.
fn moment(date: NaiveDate, time: NaiveTime) -> DateTime<Utc> {
    let local = date.and_time(time).and_local_timezone(shanghai());
    local.single().expect("a fixed offset has every local time once").to_utc()
}

/// The last millisecond of a date in Asia/Shanghai.
#[must_use]
pub fn end_of_day(date: NaiveDate) -> DateTime<Utc> {
    moment(date, NaiveTime::MIN) + TimeDelta::days(1) - TimeDelta::milliseconds(1)
}

fn day_after(date: NaiveDate) -> NaiveDate {
    date.checked_add_days(Days::new(1)).expect("deadlines lie within chrono's years")
}

impl Calendar {
    /// Adds the official calendar of a year.
    ///
    /// # Errors
    /// [`NotACalendar`] names the date that cannot be; nothing is added then.
    pub fn add_year(
        &mut self,
        year: i32,
        holidays: &[NaiveDate],
        make_up_days: &[NaiveDate],
    ) -> Result<(), NotACalendar> {
        for &date in holidays.iter().chain(make_up_days) {
            if date.year() != year {
                return Err(NotACalendar::OtherYear { year, date });
            }
        }
        for &date in make_up_days {
            if holidays.contains(&date) {
                return Err(NotACalendar::Both(date));
            }
            if !is_weekend(date) {
                return Err(NotACalendar::NotAWeekend(date));
            }
        }
        self.years.insert(year);
        self.holidays.extend(holidays);
        self.make_up_days.extend(make_up_days);
        Ok(())
    }

    /// The calendar of `year` is loaded.
    #[must_use]
    pub fn knows(&self, year: i32) -> bool {
        self.years.contains(&year)
    }

    /// Weekends and holidays are off, make-up Saturdays and Sundays are on (R7b).
    ///
    /// In a year that is not loaded only weekends are off: a guess, which
    /// [`Counted::provisional`] tells.
    #[must_use]
    pub fn is_working_day(&self, date: NaiveDate) -> bool {
        if self.make_up_days.contains(&date) {
            return true;
        }
        !is_weekend(date) && !self.holidays.contains(&date)
    }

    /// When a bank payout that was approved at `approved_at` must have arrived.
    ///
    /// Source, R7: "After the withdrawal request is approved, HUAWEI CLOUD will
    /// complete the withdrawal process within 7 working days."
    ///
    /// Our reading: the date of the approval is day 0, whether it is a working
    /// day or not; the deadline is the last millisecond of the seventh working
    /// day after it.
    #[must_use]
    pub fn bank_deadline(&self, approved_at: DateTime<Utc>) -> Counted {
        self.end_of_working_day(approved_at, BANK_DAYS)
    }

    /// The end of the working day that comes so many working days after the date
    /// of `from`, in Asia/Shanghai; after none, the end of that date itself.
    #[must_use]
    pub fn end_of_working_day(&self, from: DateTime<Utc>, days: u32) -> Counted {
        let mut date = date_in_shanghai(from);
        let mut provisional = false;
        let mut counted = 0;
        while counted < days {
            date = day_after(date);
            provisional |= !self.knows(date.year());
            counted += u32::from(self.is_working_day(date));
        }
        Counted { at: end_of_day(date), provisional }
    }

    /// The first bank cut-off that is not before `from`: when a bank payout goes out.
    ///
    /// `cut_offs` are times of day in Asia/Shanghai on working days, such as 16:30.
    ///
    /// Source, R7: the seven working days are an upper bound; when within them
    /// the money leaves is policy.
    ///
    /// # Panics
    /// When `cut_offs` is empty, which [`crate::Policy`] excludes.
    #[must_use]
    pub fn next_cut_off(&self, from: DateTime<Utc>, cut_offs: &[NaiveTime]) -> Counted {
        let mut ordered = cut_offs.to_vec();
        ordered.sort_unstable();
        assert!(!ordered.is_empty(), "a bank has a cut-off");
        let mut date = date_in_shanghai(from);
        let mut provisional = false;
        loop {
            provisional |= !self.knows(date.year());
            if self.is_working_day(date) {
                let found = ordered.iter().map(|time| moment(date, *time)).find(|at| *at >= from);
                if let Some(at) = found {
                    return Counted { at, provisional };
                }
            }
            date = day_after(date);
        }
    }

    /// The newest bank cut-off that is not after `at`: the one whose payouts go out now.
    ///
    /// # Panics
    /// When `cut_offs` is empty, which [`crate::Policy`] excludes.
    #[must_use]
    pub fn last_cut_off(&self, at: DateTime<Utc>, cut_offs: &[NaiveTime]) -> CutOff {
        let mut ordered = cut_offs.to_vec();
        ordered.sort_unstable();
        assert!(!ordered.is_empty(), "a bank has a cut-off");
        let mut day = date_in_shanghai(at);
        loop {
            let on_day = ordered.iter().map(|time| CutOff { day, time: *time });
            if let Some(found) = on_day.rev().find(|it| self.is_working_day(day) && it.at() <= at) {
                return found;
            }
            day = day.checked_sub_days(Days::new(1)).expect("payouts lie within chrono's years");
        }
    }
}

fn is_weekend(date: NaiveDate) -> bool {
    matches!(date.weekday(), Weekday::Sat | Weekday::Sun)
}

#[cfg(test)]
#[path = "calendar_tests.rs"]
mod tests;
