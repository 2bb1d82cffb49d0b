//! Reconciliation: each channel's own statement of a day against our books.
//!
//! ```text
//! statement ─▶ missing, repeated, altered, not chained? refused ─▶ an alert
//!    └─▶ each line ─▶ the one transition function ─▶ settled, taken back, asked about
//!           └─▶ what does not agree: a row that is an alert until it is resolved
//! our paid legs of that day without a line ─▶ asked about, and an alert
//! ```
//!
//! A day can be looked at again and again: lines that were applied confirm
//! themselves, differences that are gone resolve themselves. It closes when its
//! file is whole, every line agrees and no difference is open.

mod duty;
mod matching;
mod trust;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use domain::{Rail, date_in_shanghai, end_of_day};
use gateways::{Statement, StatementError};
use store::Tx;
use store::statement_days::{self, DayState};
use store::statement_differences::{self as differences, Found, Kind};
use tracing::{error, info};

use crate::Till;
use crate::failpoint::failpoint;
use crate::statement::{Line, apply};

pub use duty::{pass, run};

/// Lines that are applied in one transaction.
const LINES: usize = 500;

/// After the end of a day a channel has this long to hand out its statement.
const LATE_AFTER: TimeDelta = TimeDelta::hours(36);

/// Where a statement came from.
#[derive(Debug)]
pub struct Read {
    /// What it says; nothing where the channel had no business on that day.
    pub statement: Result<Option<Statement>, StatementError>,
    /// For people, such as a file's name.
    pub source: String,
}

/// What became of a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Where it stands now.
    pub state: DayState,
    /// Why it is not closed, for people.
    pub detail: Option<String>,
    /// Lines of ours in the statement.
    pub lines: usize,
    /// Lines that settled a payment by this look.
    pub settled: usize,
    /// Lines that took a payment back by this look.
    pub returned: usize,
}

/// Asks the channel for its statement of a day. Never inside a transaction.
pub async fn fetch(till: &Till, rail: Rail, day: NaiveDate) -> Read {
    Read { statement: till.gateways.statement(rail, day).await, source: "the channel".to_owned() }
}

/// Compares a statement with our books, and writes what follows.
///
/// # Errors
/// When the database is away, or somebody was faster: do it again.
pub async fn reconcile(
    till: &Till,
    (rail, day): (Rail, NaiveDate),
    read: &Read,
) -> Result<Outcome, store::Error> {
    let at = till.clock.now();
    let mut tx = till.database.begin().await?;
    let known = statement_days::lock(&mut tx, rail, day, at).await?;
    let left = statement_days::missing(&mut tx, rail, span(rail, day), &[]).await?.len();
    let statement = match &read.statement {
        Ok(Some(statement)) => statement.clone(),
        Ok(None) if left == 0 => Statement::default(),
        Ok(None) => {
            let detail = format!(
                "the channel has no statement of {day}, and {left} payments of that day are not in another one"
            );
            return refuse(tx, &known, file(Kind::FileMissing, "", detail), at).await;
        }
        Err(why @ StatementError::Unreadable(_)) => {
            return refuse(tx, &known, file(Kind::FileUnreadable, "", why.to_string()), at).await;
        }
        Err(why) if at - end_of_day(day) > LATE_AFTER => {
            return refuse(tx, &known, file(Kind::FileMissing, "", why.to_string()), at).await;
        }
        Err(why) => {
            statement_days::write(&mut tx, known.id, DayState::Open, (None, Some(&why.to_string())), at)
                .await?;
            tx.commit().await?;
            return Ok(Outcome::of(DayState::Open, Some(why.to_string())));
        }
    };
    let taken = trust::taken(&statement, &read.source);
    if let Some(found) = trust::distrust(&mut tx, &known, (&statement, &taken)).await? {
        return refuse(tx, &known, found, at).await;
    }
    statement_days::write(
        &mut tx,
        known.id,
        DayState::Open,
        (Some(&taken), Some("it is being compared")),
        at,
    )
    .await?;
    tx.commit().await?;
    compare(till, (rail, day), &statement).await
}

/// The day is not closed: its file is missing, or cannot be the right one.
async fn refuse(
    mut tx: Tx,
    day: &statement_days::Day,
    found: Found,
    at: DateTime<Utc>,
) -> Result<Outcome, store::Error> {
    let detail = found.detail.clone();
    error!(rail = %day.rail, day = %day.day, kind = %found.kind, detail, "A settlement day is refused");
    differences::put(&mut tx, (day.rail, day.day), &[found], at).await?;
    statement_days::write(&mut tx, day.id, DayState::Refused, (None, Some(&detail)), at).await?;
    tx.commit().await?;
    Ok(Outcome::of(DayState::Refused, Some(detail)))
}

/// Applies the lines of a statement that is trusted, and then our own payments
/// that it does not name.
async fn compare(
    till: &Till,
    (rail, day): (Rail, NaiveDate),
    statement: &Statement,
) -> Result<Outcome, store::Error> {
    let at = till.clock.now();
    let place = format!("{rail} statement of {day}");
    let mut found = matching::twice(statement);
    let lines = matching::lines(rail, &place, statement);
    let (mut outcome, mut under_way) = (Outcome::of(DayState::Open, None), 0);
    outcome.lines = statement.rows.len();
    for batch in lines.chunks(LINES) {
        let mut tx = till.database.begin().await?;
        let effects = apply(&mut tx, batch, &till.rules, at).await?;
        let judged = matching::judge(batch, &effects);
        differences::put(&mut tx, (rail, day), &judged.returned, at).await?;
        failpoint!("reconcile.lines-written");
        tx.commit().await?;
        failpoint!("reconcile.lines-committed");
        outcome.settled += judged.settled;
        outcome.returned += judged.returned.len();
        under_way += judged.under_way;
        found.extend(judged.open);
    }
    let mut tx = till.database.begin().await?;
    let known = statement_days::lock(&mut tx, rail, day, at).await?;
    let named: Vec<&str> = statement.rows.iter().map(|it| it.payout_no.as_str()).collect();
    let missing = statement_days::missing(&mut tx, rail, span(rail, day), &named).await?;
    let unnamed: Vec<Line> = missing.iter().map(|it| matching::unnamed(rail, &place, it)).collect();
    apply(&mut tx, &unnamed, &till.rules, at).await?;
    found.extend(missing.iter().map(matching::not_named));
    differences::put(&mut tx, (rail, day), &found, at).await?;
    differences::resolve_gone(&mut tx, (rail, day), &found, at).await?;
    let open = differences::list(&mut tx, Some((rail, day)), differences::Which::Open, 10_000).await?.len();
    (outcome.state, outcome.detail) = match (under_way, open) {
        (0, 0) => (DayState::Closed, None),
        (0, open) => (DayState::Differs, Some(format!("{open} differences are open"))),
        (calls, _) => (DayState::Open, Some(format!("{calls} lines wait for a call to end"))),
    };
    statement_days::write(&mut tx, known.id, outcome.state, (None, outcome.detail.as_deref()), at).await?;
    failpoint!("reconcile.day-written");
    tx.commit().await?;
    failpoint!("reconcile.day-committed");
    if open > 0 {
        error!(%rail, %day, open, "A statement and the books do not agree. See outflow reconcile");
    }
    info!(%rail, %day, state = %outcome.state, lines = outcome.lines, settled = outcome.settled, "A settlement day was looked at");
    Ok(outcome)
}

impl Outcome {
    fn of(state: DayState, detail: Option<String>) -> Self {
        Self { state, detail, lines: 0, settled: 0, returned: 0 }
    }
}

/// A difference about a whole file; `subject` tells it apart within its day.
fn file(kind: Kind, subject: &str, detail: String) -> Found {
    Found { kind, subject: subject.to_owned(), leg_id: None, ours: None, theirs: None, detail }
}

/// The moments whose payments belong to a day: `UnionPay` clears from 23:00 to
/// 23:00, the others from midnight to midnight, all in Beijing.
fn span(rail: Rail, day: NaiveDate) -> (DateTime<Utc>, DateTime<Utc>) {
    let end = end_of_day(day) + TimeDelta::milliseconds(1);
    let early = if rail == Rail::UnionPay { TimeDelta::hours(1) } else { TimeDelta::zero() };
    (end - TimeDelta::days(1) - early, end - early)
}

/// The last day that is over at a moment.
fn yesterday(at: DateTime<Utc>) -> NaiveDate {
    date_in_shanghai(at).pred_opt().expect("a day within chrono's years")
}

#[cfg(test)]
mod tests {
    use domain::Rail;

    use super::span;

    #[test]
    fn a_day_at_unionpay_begins_and_ends_an_hour_early() {
        let day = "2026-03-10".parse().expect("a day");
        for (rail, from, until) in [
            (Rail::Alipay, "2026-03-10T00:00:00+08:00", "2026-03-11T00:00:00+08:00"),
            (Rail::UnionPay, "2026-03-09T23:00:00+08:00", "2026-03-10T23:00:00+08:00"),
        ] {
            let moment = |text: &str| text.parse().expect("a moment");
            assert_eq!(span(rail, day), (moment(from), moment(until)), "{rail}");
        }
    }
}
