//! The working-day calendar over HTTP (R7, R7b).

use axum::extract::{Path, State as Extract};
use chrono::{Datelike, NaiveDate, TimeDelta, Weekday};
use domain::{Calendar, date_in_shanghai, end_of_day};
use serde_json::{Value, json};

use crate::State;
use crate::answer::Json;
use crate::refusal::Refusal;
use crate::withdrawal::wrong_parameter;

/// `GET /v1/calendar/{date}`: what follows for a bank payout that is approved on
/// that day at noon.
pub(crate) async fn show(Extract(state): Extract<State>, Path(date): Path<String>) -> Result<Json, Refusal> {
    let date: NaiveDate =
        date.parse().map_err(|_| wrong_parameter("date", "must be a day such as 2026-09-23"))?;
    let desk = state.desk()?;
    Ok(day(&desk.calendar, &desk.bank_cut_offs, date).into())
}

fn day(calendar: &Calendar, cut_offs: &[chrono::NaiveTime], date: NaiveDate) -> Value {
    let noon = end_of_day(date) - TimeDelta::hours(12);
    let deadline = calendar.bank_deadline(noon);
    let cut_off = calendar.next_cut_off(noon, cut_offs);
    json!({
        "date": date,
        "kind": kind(calendar, date),
        "working_day": calendar.is_working_day(date),
        "official": calendar.knows(date.year()),
        "next_cut_off": cut_off.at,
        "bank_deadline": date_in_shanghai(deadline.at),
        "provisional": deadline.provisional,
    })
}

/// A day in one word.
pub(crate) fn kind(calendar: &Calendar, date: NaiveDate) -> &'static str {
    let weekend = matches!(date.weekday(), Weekday::Sat | Weekday::Sun);
    match (calendar.is_working_day(date), weekend) {
        (true, true) => "make_up_day",
        (true, false) => "working_day",
        (false, true) => "weekend",
        (false, false) => "holiday",
    }
}
