//! `outflow calendar`: what the loaded calendar says about a day (R7, R7b).

use anyhow::Result;
use chrono::{Datelike, NaiveDate};
use domain::{Calendar as Days, date_in_shanghai, end_of_day};
use serde_json::json;

use crate::cli::{Calendar, General};
use crate::output;
use crate::settings::Settings;

/// Says whether a day is a working day, and what follows for a bank payout that
/// is approved on it at noon.
///
/// # Errors
/// When the settings or the calendar cannot be read.
pub(crate) fn run(general: &General, action: &Calendar) -> Result<()> {
    let Calendar::Check { date } = action;
    let settings = Settings::load(general.config.as_deref())?;
    let days = settings.calendar()?;
    let noon = end_of_day(*date) - chrono::TimeDelta::hours(12);
    let deadline = days.bank_deadline(noon);
    let cut_off = days.next_cut_off(noon, &settings.policy.bank_cut_offs);
    let working = days.is_working_day(*date);
    let known = days.knows(date.year());
    if general.output.is_data() {
        output::data(
            general.output,
            &json!({
                "date": date,
                "weekday": date.format("%A").to_string(),
                "working_day": working,
                "official": known,
                "next_cut_off": output::shanghai(cut_off.at).to_rfc3339(),
                "bank_deadline": date_in_shanghai(deadline.at),
                "provisional": deadline.provisional,
            }),
        );
        return Ok(());
    }
    println!("{date} {} is {}", date.format("%A"), kind(&days, *date));
    println!("a bank payout approved at noon goes out at {}", output::moment(cut_off.at));
    let doubt =
        if deadline.provisional { " (provisional: a year on the way has no official calendar)" } else { "" };
    println!("and has arrived by the end of {}{doubt}", date_in_shanghai(deadline.at));
    if !known {
        let file = format!("cn-{}.toml", date.year());
        let next = format!("put {file} into the calendar folder once the State Council has announced it");
        output::next(general, &next);
    }
    Ok(())
}

/// A day in words.
pub(crate) fn kind(days: &Days, date: NaiveDate) -> &'static str {
    let weekend = matches!(date.weekday(), chrono::Weekday::Sat | chrono::Weekday::Sun);
    match (days.is_working_day(date), weekend) {
        (true, true) => "a make-up working day",
        (true, false) => "a working day",
        (false, true) => "off",
        (false, false) => "a holiday",
    }
}
