//! The calendar at its edges: holidays, make-up days, midnight, the year's end.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};

use super::{Calendar, NotACalendar, date_in_shanghai, end_of_day};

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a date of the table")
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("a moment of the table")
}

/// The days of 2026 around the Spring Festival, National Day and New Year.
fn calendar() -> Calendar {
    let days = |text: &str| text.split_whitespace().map(day).collect::<Vec<_>>();
    let mut calendar = Calendar::default();
    let holidays = days(
        "2026-01-01 2026-01-02 2026-01-03 2026-02-15 2026-02-16 2026-02-17 2026-02-18 2026-02-19 2026-02-20 \
         2026-02-21 2026-02-22 2026-02-23 2026-09-25 2026-09-26 2026-09-27 2026-10-01 2026-10-02 2026-10-03 \
         2026-10-04 2026-10-05 2026-10-06 2026-10-07",
    );
    let make_up_days = days("2026-01-04 2026-02-14 2026-02-28 2026-09-20 2026-10-10");
    calendar.add_year(2026, &holidays, &make_up_days).expect("a calendar");
    calendar
}

#[test]
fn r7b_make_up_weekends_are_on_and_holidays_are_off() {
    for (date, expected) in [
        ("2026-02-13", true),  // a Friday
        ("2026-02-14", true),  // a make-up Saturday
        ("2026-02-15", false), // a Sunday and a holiday
        ("2026-02-20", false), // a Friday and a holiday
        ("2026-02-24", true),  // a Tuesday
        ("2026-02-28", true),  // a make-up Saturday
        ("2026-03-01", false), // a Sunday
        ("2027-01-01", true),  // a Friday of a year that nobody loaded
        ("2027-01-02", false), // a Saturday of that year
    ] {
        assert_eq!(calendar().is_working_day(day(date)), expected, "{date}");
    }
}

#[test]
fn r7_the_deadline_is_the_end_of_the_seventh_working_day_after_the_approval() {
    for (approved_at, expected, provisional) in [
        ("2026-02-14T10:00:00+08:00", "2026-03-03", false), // on a make-up Saturday
        ("2026-09-23T10:00:00+08:00", "2026-10-10", false), // across two holidays
        ("2026-10-03T10:00:00+08:00", "2026-10-15", false), // on a holiday
        ("2026-03-02T23:59:59.999+08:00", "2026-03-11", false),
        ("2026-03-03T00:00:00+08:00", "2026-03-12", false), // a millisecond later
        ("2026-03-02T16:00:00Z", "2026-03-12", false),      // the same moment, in UTC
        ("2026-12-22T10:00:00+08:00", "2026-12-31", false), // the last that stays in the year
        ("2026-12-23T10:00:00+08:00", "2027-01-01", true),  // reaches into an unknown year
        ("2026-12-31T10:00:00+08:00", "2027-01-11", true),
    ] {
        let deadline = calendar().bank_deadline(at(approved_at));
        assert_eq!(deadline.at, end_of_day(day(expected)), "{approved_at}");
        assert_eq!(deadline.provisional, provisional, "{approved_at}");
    }
}

#[test]
fn r7b_a_year_that_is_loaded_later_makes_the_deadline_certain() {
    let mut calendar = calendar();
    let approved_at = at("2026-12-23T10:00:00+08:00");
    assert!(calendar.bank_deadline(approved_at).provisional);
    calendar.add_year(2027, &[day("2027-01-01")], &[]).expect("a calendar");
    let deadline = calendar.bank_deadline(approved_at);
    assert_eq!((deadline.at, deadline.provisional), (end_of_day(day("2027-01-04")), false));
}

#[test]
fn a_day_ends_with_its_last_millisecond_in_shanghai() {
    assert_eq!(end_of_day(day("2026-03-03")), at("2026-03-03T23:59:59.999+08:00"));
    assert_eq!(date_in_shanghai(at("2026-03-03T15:59:59.999Z")), day("2026-03-03"));
    assert_eq!(date_in_shanghai(at("2026-03-03T16:00:00Z")), day("2026-03-04"));
}

#[test]
fn r7_bank_payouts_leave_at_the_next_cut_off_of_a_working_day() {
    let times = ["16:30:00", "11:00:00"].map(|it| it.parse::<NaiveTime>().expect("a time"));
    for (from, expected, provisional) in [
        ("2026-03-02T09:00:00+08:00", "2026-03-02T11:00:00+08:00", false),
        ("2026-03-02T11:00:00+08:00", "2026-03-02T11:00:00+08:00", false), // just in time
        ("2026-03-02T11:00:00.001+08:00", "2026-03-02T16:30:00+08:00", false),
        ("2026-03-02T16:30:00.001+08:00", "2026-03-03T11:00:00+08:00", false),
        ("2026-02-14T17:00:00+08:00", "2026-02-24T11:00:00+08:00", false), // the Spring Festival
        ("2026-12-31T17:00:00+08:00", "2027-01-01T11:00:00+08:00", true),  // an unknown year
    ] {
        let cut_off = calendar().next_cut_off(at(from), &times);
        assert_eq!((cut_off.at, cut_off.provisional), (at(expected), provisional), "{from}");
    }
}

#[test]
fn r7_what_goes_out_now_belongs_to_the_newest_cut_off() {
    let times = ["16:30:00", "11:00:00"].map(|it| it.parse::<NaiveTime>().expect("a time"));
    for (now, expected) in [
        ("2026-03-02T11:00:00+08:00", "2026-03-02T11:00:00+08:00"), // on the stroke
        ("2026-03-02T16:29:59.999+08:00", "2026-03-02T11:00:00+08:00"),
        ("2026-03-02T23:59:59+08:00", "2026-03-02T16:30:00+08:00"),
        ("2026-03-03T10:59:59+08:00", "2026-03-02T16:30:00+08:00"),
        ("2026-03-02T10:00:00+08:00", "2026-02-28T16:30:00+08:00"), // a make-up Saturday
        ("2026-02-24T09:00:00+08:00", "2026-02-14T16:30:00+08:00"), // the Spring Festival
    ] {
        assert_eq!(calendar().last_cut_off(at(now), &times).at(), at(expected), "{now}");
    }
}

#[test]
fn a_calendar_that_cannot_be_is_refused_whole() {
    let mut calendar = Calendar::default();
    for (holidays, make_up_days, expected) in [
        (vec!["2025-01-01"], vec![], NotACalendar::OtherYear { year: 2026, date: day("2025-01-01") }),
        (vec!["2026-01-03"], vec!["2026-01-03"], NotACalendar::Both(day("2026-01-03"))),
        (vec![], vec!["2026-01-05"], NotACalendar::NotAWeekend(day("2026-01-05"))),
    ] {
        let days = |texts: &[&str]| texts.iter().map(|it| day(it)).collect::<Vec<_>>();
        let refused = calendar.add_year(2026, &days(&holidays), &days(&make_up_days));
        assert_eq!(refused, Err(expected));
    }
    assert!(!calendar.knows(2026));
}
