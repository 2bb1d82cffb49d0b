//! What can be looked at without a server: settings, keys, the calendar.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use chrono::{DateTime, Datelike, Utc};
use domain::date_in_shanghai;

use super::Finding;
use crate::command::config;
use crate::settings::{Profile, Settings};

/// The month from which on the next year's calendar is announced.
const ANNOUNCED_IN: u32 = 11;

/// Looks at what the settings name.
pub(super) fn examine(settings: &Settings, at: DateTime<Utc>) -> Vec<Finding> {
    let mut findings = vec![profile(settings)];
    for part in config::parts(settings) {
        findings.push(match part.found {
            Ok(detail) => Finding::good(part.name, detail),
            Err(error) => {
                Finding::bad(part.name, format!("{error:#}"), "correct the settings; outflow config check")
            }
        });
    }
    findings.extend(secret_files(settings));
    if let Ok(calendar) = settings.calendar() {
        findings.push(years(&calendar, at));
    }
    findings
}

fn profile(settings: &Settings) -> Finding {
    match settings.profile {
        Profile::Production => Finding::good("profile", "production: default passwords are refused"),
        Profile::Dev => Finding::doubtful(
            "profile",
            "dev: default passwords are accepted, and codes are shown",
            "set `profile` to production where the money is real",
        ),
    }
}

/// Files with secrets that others on this machine can read.
fn secret_files(settings: &Settings) -> Vec<Finding> {
    let mut found: Vec<Finding> = settings.secret_files().iter().filter_map(|it| open_to_all(it)).collect();
    if found.is_empty() {
        found.push(Finding::good("secret files", "none is readable by everybody"));
    }
    found
}

/// A file or a folder that people without business there can enter. A folder that they cannot enter hides
/// whatever it holds.
fn open_to_all(path: &Path) -> Option<Finding> {
    let mode = mode_of(path).filter(|mode| mode & 0o007 != 0)?;
    let mend = if path.is_dir() { "chmod 700" } else { "chmod 600" };
    Some(Finding::bad(
        "secret files",
        format!("{} is open to everybody on this machine (mode {mode:o})", path.display()),
        format!("{mend} {}, owned by the user that runs the product", path.display()),
    ))
}

fn mode_of(file: &Path) -> Option<u32> {
    std::fs::metadata(file).ok().map(|it| it.permissions().mode() & 0o777)
}

/// R7b: this year must be known, and the next one once it was announced.
fn years(calendar: &domain::Calendar, at: DateTime<Utc>) -> Finding {
    let today = date_in_shanghai(at);
    let (this, next) = (today.year(), today.year() + 1);
    let mend = |year: i32| {
        format!(
            "put cn-{year}.toml into the calendar folder, as the State Council announced it, and restart the workers"
        )
    };
    if !calendar.knows(this) {
        return Finding::bad(
            "working days",
            format!("the calendar of {this} is missing: every deadline is provisional"),
            mend(this),
        );
    }
    if !calendar.knows(next) {
        let detail =
            format!("the calendar of {next} is missing: deadlines that reach into it are provisional");
        return if today.month() >= ANNOUNCED_IN {
            Finding::doubtful("working days", detail, mend(next))
        } else {
            Finding::good("working days", format!("{this} is known; {next} is announced in November"))
        };
    }
    Finding::good("working days", format!("{this} and {next} are known"))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::super::Verdict;
    use super::{open_to_all, years};

    #[test]
    fn a_secret_that_everybody_can_read_is_found_and_one_behind_a_closed_door_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        fs::write(&file, "secret").unwrap();
        for (path, mode, found) in [
            (file.as_path(), 0o600, false),
            (file.as_path(), 0o640, false),
            (file.as_path(), 0o644, true),
            (folder.path(), 0o700, false),
            (folder.path(), 0o755, true),
        ] {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
            let finding = open_to_all(path);
            assert_eq!(finding.is_some(), found, "{} {mode:o}", path.display());
            assert!(finding.is_none_or(|it| it.mend.starts_with("chmod")));
        }
    }

    #[test]
    fn the_next_year_is_asked_for_once_it_is_announced() {
        let mut calendar = domain::Calendar::default();
        calendar.add_year(2026, &[], &[]).unwrap();
        for (day, verdict) in
            [("2026-10-31", Verdict::Good), ("2026-11-01", Verdict::Doubtful), ("2027-01-01", Verdict::Bad)]
        {
            let at = format!("{day}T12:00:00+08:00").parse().unwrap();
            assert_eq!(years(&calendar, at).verdict, verdict, "{day}");
        }
        calendar.add_year(2027, &[], &[]).unwrap();
        let at = "2026-12-31T12:00:00+08:00".parse().unwrap();
        assert_eq!(years(&calendar, at).verdict, Verdict::Good);
    }
}
