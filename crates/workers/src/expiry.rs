//! The expiry duty: what nobody decided in time goes back to its top-ups.

use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::WithdrawalEvent;
use store::{Database, withdrawals};
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::cases::{Case, Cases};
use crate::decisions::give_back;
use crate::failpoint::failpoint;
use crate::patience::patiently;
use crate::{Clock, Error};

/// The name of this worker in traces.
const WORKER: &str = "expiry";

/// Withdrawals that expire in one transaction.
const BATCH: i64 = 200;

/// How long the duty rests when nothing expired.
const REST: Duration = Duration::from_secs(1);

/// Runs until `stop` is raised.
///
/// # Errors
/// When only a restart or a person can help.
pub async fn run(database: Database, clock: Clock, stop: CancellationToken) -> Result<(), Error> {
    while !stop.is_cancelled() {
        let Some(expired) = patiently("the expiry duty", &stop, || pass(&database, clock.now())).await?
        else {
            break;
        };
        if expired > 0 {
            info!(expired, "Withdrawals expired and gave their money back");
        } else {
            tokio::select! {
                () = tokio::time::sleep(REST) => {}
                () = stop.cancelled() => {}
            }
        }
    }
    Ok(())
}

/// Ends what has waited too long, and answers how many withdrawals that were.
///
/// # Errors
/// When the database is away or refuses.
pub async fn pass(database: &Database, at: DateTime<Utc>) -> Result<usize, store::Error> {
    let mut tx = database.begin().await?;
    let ids = withdrawals::expired(&mut tx, at, BATCH).await?;
    if ids.is_empty() {
        return Ok(0);
    }
    let mut cases = Cases::lock(&mut tx, &ids, at).await?;
    let mut ended = 0;
    for id in cases.ids() {
        let Some(Case { withdrawal, .. }) = cases.get(id) else { continue };
        let waiting = withdrawal.state.waits_for_people();
        let over = withdrawal.expires_at.is_some_and(|it| it <= at);
        if waiting
            && over
            && give_back(&mut cases, id, WithdrawalEvent::Expire, (WORKER, "nobody decided in time")).is_ok()
        {
            ended += 1;
        }
    }
    cases.write(&mut tx, WORKER).await?;
    failpoint!("expiry.written");
    tx.commit().await?;
    failpoint!("expiry.committed");
    Ok(ended)
}
