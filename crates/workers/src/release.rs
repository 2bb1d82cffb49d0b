//! The release duty: tells the payout queues which legs are due.
//!
//! Realtime legs are told at the approval already. Here come the bank legs whose
//! cut-off has arrived, retries whose delay is over, and every leg whose nudge
//! was lost: whoever is still waiting after `TELL_AGAIN` is told again. These nudges
//! name no trace: only the withdrawal knows it, which this duty may not read.

use std::time::Duration;

use broker::topology::payout_queue;
use store::{Database, legs, outbox};
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::failpoint::failpoint;
use crate::nudge::Nudges;
use crate::patience::patiently;
use crate::{Clock, Error};

/// Legs that are told in one transaction.
const BATCH: i64 = 500;

/// A leg that is still waiting this long after its nudge is told again.
const TELL_AGAIN: Duration = Duration::from_secs(30);

/// How long the duty rests when nothing is due.
const REST: Duration = Duration::from_millis(100);

/// Runs until `stop` is raised.
///
/// # Errors
/// When only a restart or a person can help.
pub async fn run(database: Database, clock: Clock, stop: CancellationToken) -> Result<(), Error> {
    while !stop.is_cancelled() {
        let Some(told) = patiently("the release", &stop, || pass(&database, &clock)).await? else { break };
        if told == 0 {
            tokio::select! {
                () = tokio::time::sleep(REST) => {}
                () = stop.cancelled() => {}
            }
        } else {
            info!(told, "Release told the payout queues of due legs");
        }
    }
    Ok(())
}

/// Tells the queues of what is due now, and answers how many legs were told.
///
/// # Errors
/// When the database is away.
pub async fn pass(database: &Database, clock: &Clock) -> Result<usize, store::Error> {
    let at = clock.now();
    let mut tx = database.begin().await?;
    let due = legs::due(&mut tx, at, at - TELL_AGAIN, BATCH).await?;
    if due.is_empty() {
        return Ok(0);
    }
    let ids: Vec<_> = due.iter().map(|(id, _)| *id).collect();
    let waiting = legs::nudged(&mut tx, &ids, at).await?;
    let mut nudges = Nudges::default();
    for (id, rail) in due.iter().filter(|(id, _)| waiting.contains(id)) {
        nudges.add(payout_queue(*rail), *id, None);
    }
    outbox::put(&mut tx, &nudges.messages().collect::<Vec<_>>(), at).await?;
    failpoint!("release.written");
    tx.commit().await.map_err(store::Error::from)?;
    failpoint!("release.committed");
    Ok(waiting.len())
}
