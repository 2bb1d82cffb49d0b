//! The verify duty: asks every invariant of the books, again and again.
//!
//! What was found is kept, a row per invariant, for metrics and for people. When
//! one that is about money is broken, nothing more is sent: the duty throws the
//! stop for all rails and names what it saw. Only a person lifts it; a violation
//! that the person knew of does not throw it again, a further one does.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use store::checks::{self, Found};
use store::stops::{self, Stop};
use store::verify::{INVARIANTS, Violation, verify};
use store::{Database, Error as StoreError};
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use crate::failpoint::failpoint;
use crate::{Clock, Error};

/// The name of this worker in traces, and on the stops that it throws.
const WORKER: &str = "verify";

/// How long the duty rests between two looks.
const REST: Duration = Duration::from_mins(1);

/// Invariants without which money may be lost or leave twice: no send while one is broken.
const MONEY: [&str; 11] = ["I01", "I02", "I03", "I04", "I05", "I06", "I07", "I08", "I09", "I16", "I17"];

/// Runs until `stop` is raised. `approvers` is the quorum above the automatic amount.
///
/// A look that the database has no time for is not a violation: it is logged,
/// and the age of the last look shows in the metrics.
///
/// # Errors
/// When only a restart or a person can help.
pub async fn run(
    database: Database,
    approvers: usize,
    clock: Clock,
    stop: CancellationToken,
) -> Result<(), Error> {
    while !stop.is_cancelled() {
        match pass(&database, approvers, clock.now()).await {
            Ok(_) => {}
            Err(error @ (StoreError::Unavailable(_) | StoreError::Stale { .. })) => {
                warn!(%error, "The books could not be checked; the next look comes in a minute");
            }
            Err(error) => return Err(error.into()),
        }
        tokio::select! {
            () = tokio::time::sleep(REST) => {}
            () = stop.cancelled() => {}
        }
    }
    Ok(())
}

/// One look at every invariant. Answers what is broken.
///
/// # Errors
/// When the database is away, or has no time for so much.
pub async fn pass(
    database: &Database,
    approvers: usize,
    at: DateTime<Utc>,
) -> Result<Vec<Violation>, StoreError> {
    let approvers = i64::try_from(approvers).unwrap_or(i64::MAX);
    let violations = verify(database, None, approvers, at).await?;
    let found: Vec<Found> = INVARIANTS.iter().map(|(id, _)| found(id, &violations)).collect();
    let mut tx = database.begin().await?;
    let known: HashMap<String, i32> =
        checks::all(&mut tx).await?.into_iter().map(|it| (it.invariant, it.violations)).collect();
    checks::put(&mut tx, &found, at).await?;
    let worse = |it: &&Found| it.violations > known.get(it.invariant).copied().unwrap_or(0);
    let news: Vec<&Found> = found.iter().filter(worse).collect();
    for it in &news {
        let (count, example) = (it.violations, it.example.as_deref().unwrap_or_default());
        error!(invariant = it.invariant, count, example, "An invariant of the books is broken");
    }
    if let Some(first) = news.iter().find(|it| MONEY.contains(&it.invariant)) {
        let example = first.example.as_deref().unwrap_or_default();
        let reason = format!("{} is broken {} times: {example}", first.invariant, first.violations);
        let thrown = Stop {
            name: stops::ALL.to_owned(),
            reason: reason.clone(),
            thrown_by: WORKER.to_owned(),
            thrown_at: at,
        };
        if stops::throw(&mut tx, &thrown).await? {
            error!(reason, "Nothing is sent any more, on any rail, until a person lifts the stop");
        }
    }
    failpoint!("verify.written");
    tx.commit().await?;
    failpoint!("verify.committed");
    Ok(violations)
}

/// What one invariant came to.
fn found(invariant: &'static str, violations: &[Violation]) -> Found {
    let broken: Vec<&Violation> = violations.iter().filter(|it| it.invariant == invariant).collect();
    Found {
        invariant,
        violations: i32::try_from(broken.len()).unwrap_or(i32::MAX),
        example: broken.first().map(|it| format!("{}: {}", it.subject, it.detail)),
    }
}

#[cfg(test)]
mod tests {
    use store::verify::INVARIANTS;

    use super::MONEY;

    #[test]
    fn every_invariant_about_money_is_one_that_is_asked() {
        for id in MONEY {
            assert!(INVARIANTS.iter().any(|(known, _)| *known == id), "{id}");
        }
    }
}
