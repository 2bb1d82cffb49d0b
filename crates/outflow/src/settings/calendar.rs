//! Working days as data: one file per year, as the State Council announced it (R7b).
//!
//! The years that are known when the product is built travel with it. A folder
//! in the settings takes their place, so that a new year needs no new build.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use chrono::NaiveDate;
use domain::Calendar;
use serde::Deserialize;

use crate::exit::{Exit, Failure};

/// The years that travel with the product.
const BUILT_IN: &[(&str, &str)] = &[
    ("cn-2024.toml", include_str!("../../../../config/calendar/cn-2024.toml")),
    ("cn-2025.toml", include_str!("../../../../config/calendar/cn-2025.toml")),
    ("cn-2026.toml", include_str!("../../../../config/calendar/cn-2026.toml")),
];

/// One year.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct YearFile {
    year: i32,
    /// Days off, weekends inside a holiday included.
    holidays: Vec<NaiveDate>,
    /// Saturdays and Sundays that are worked.
    make_up_days: Vec<NaiveDate>,
}

/// The calendar of a folder, or the one that travels with the product.
///
/// # Errors
/// When the folder has no calendar, or a file of it is none.
pub(super) fn load(folder: Option<&Path>) -> Result<Calendar> {
    let mut calendar = Calendar::default();
    let Some(folder) = folder else {
        for (name, text) in BUILT_IN {
            add(&mut calendar, text).with_context(|| format!("the built-in calendar {name}"))?;
        }
        return Ok(calendar);
    };
    let failed =
        |what: String| Failure::new(Exit::Usage, what, "correct `folder` of [calendar], or leave it out");
    let entries = std::fs::read_dir(folder).map_err(|error| {
        failed(format!("the calendar folder {} cannot be read", folder.display())).because(error)
    })?;
    let mut files: Vec<_> = entries.filter_map(|entry| entry.ok().map(|it| it.path())).collect();
    files.retain(|path| path.extension().is_some_and(|it| it == "toml"));
    files.sort();
    if files.is_empty() {
        return Err(failed(format!("the calendar folder {} has no *.toml", folder.display())).into());
    }
    for file in files {
        let read = std::fs::read_to_string(&file).map_err(anyhow::Error::from);
        read.and_then(|text| add(&mut calendar, &text)).map_err(|error| {
            failed(format!("the calendar {} is not right", file.display())).because(error)
        })?;
    }
    Ok(calendar)
}

fn add(calendar: &mut Calendar, text: &str) -> Result<()> {
    let YearFile { year, holidays, make_up_days } = toml::from_str(text)?;
    ensure!(!calendar.knows(year), "the year {year} is there already");
    Ok(calendar.add_year(year, &holidays, &make_up_days)?)
}

#[cfg(test)]
mod tests {
    use domain::Calendar;

    use super::{add, load};

    #[test]
    fn r7b_the_calendar_that_travels_along_knows_the_examples() {
        let calendar = load(None).unwrap();
        for (approved, deadline) in [("2026-02-14", "2026-03-03"), ("2026-09-23", "2026-10-10")] {
            let at = format!("{approved}T09:30:00+08:00").parse().unwrap();
            let counted = calendar.bank_deadline(at);
            assert_eq!(domain::date_in_shanghai(counted.at).to_string(), deadline);
            assert!(!counted.provisional);
        }
    }

    #[test]
    fn a_calendar_that_contradicts_itself_is_refused() {
        let mut calendar = Calendar::default();
        for (text, words) in [
            ("year = 2026\nholidays = [\"2025-01-01\"]\nmake_up_days = []", "not a day of 2026"),
            ("year = 2026\nholidays = []\nmake_up_days = []\nweekends = []", "unknown field"),
            ("year = 2026\nholidays = []\nmake_up_days = [\"2026-09-23\"]", "not a weekend"),
        ] {
            let error = format!("{:#}", add(&mut calendar, text).unwrap_err());
            assert!(error.contains(words), "{error}");
        }
    }
}
