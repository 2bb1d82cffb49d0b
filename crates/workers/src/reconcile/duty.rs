//! The daily duty: every day that is over and not closed, on every channel.

use std::time::Duration;

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use domain::{Rail, date_in_shanghai, end_of_day};
use store::statement_days;
use strum::IntoEnumIterator;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::{fetch, reconcile, yesterday};
use crate::patience::patiently;
use crate::{Error, Till};

/// The statement of a day is asked for from half past ten of the next one, in Beijing.
const READY_AFTER: TimeDelta = TimeDelta::minutes(10 * 60 + 30);

/// Days back from yesterday that are looked at until they are closed.
const DAYS: u64 = 10;

/// How long the duty rests. A channel that is still making its statement is not to
/// be asked more often.
const REST: Duration = Duration::from_mins(30);

/// Runs until `stop` is raised.
///
/// # Errors
/// When only a restart or a person can help.
pub async fn run(till: Till, stop: CancellationToken) -> Result<(), Error> {
    while !stop.is_cancelled() {
        if patiently("the reconciliation", &stop, || pass(&till)).await?.is_none() {
            break;
        }
        tokio::select! {
            () = tokio::time::sleep(REST) => {}
            () = stop.cancelled() => {}
        }
    }
    Ok(())
}

/// Looks once at every day that waits. Answers how many were looked at.
///
/// # Errors
/// When the database is away or refuses.
pub async fn pass(till: &Till) -> Result<usize, store::Error> {
    let mut looked_at = 0;
    for rail in Rail::iter() {
        for day in waiting(till, rail).await? {
            let read = fetch(till, rail, day).await;
            if let Err(error) = &read.statement {
                warn!(%rail, %day, %error, "A statement cannot be had");
            }
            reconcile(till, (rail, day), &read).await?;
            looked_at += 1;
        }
    }
    Ok(looked_at)
}

/// The days of a channel that are over, ready and not closed, oldest first: none
/// before its first payment.
async fn waiting(till: &Till, rail: Rail) -> Result<Vec<NaiveDate>, store::Error> {
    let at = till.clock.now();
    let mut tx = till.database.begin().await?;
    let Some(first_paid) = statement_days::first_paid(&mut tx, rail).await? else { return Ok(Vec::new()) };
    let last = yesterday(at);
    let first = date_in_shanghai(first_paid).max(last - Days::new(DAYS - 1));
    let closed = statement_days::closed(&mut tx, rail, (first, last)).await?;
    let days = first.iter_days().take_while(|day| *day <= last);
    Ok(days.filter(|day| is_ready(*day, at) && !closed.contains(day)).collect())
}

fn is_ready(day: NaiveDate, at: DateTime<Utc>) -> bool {
    at >= end_of_day(day) + READY_AFTER
}
