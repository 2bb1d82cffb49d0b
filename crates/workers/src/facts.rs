//! The facts worker: what upstream knows about accounts becomes the ledger.
//!
//! ```text
//! outflow.facts ─▶ next_batch ─▶ ONE transaction ─────────────────────────▶ ack
//!                                lock · sort · read books · apply · write
//! ```
//!
//! The facts of an account carry versions 1, 2, 3, … and apply strictly in this
//! order, whatever order they arrive in. A fact is one of these:
//! - **due**: its version is the next one. It is applied, with every later one
//!   that waited for it, in the same transaction.
//! - **early**: it waits in `fact`, sealed, until the gap before it is filled.
//! - **a repeat**: the same `(source, id)` and content. Dropped.
//! - **a conflict**: a known `(source, id)` with other content, or a version that
//!   another fact has. Parked; it changes nothing.
//! - **refused**: due, but it contradicts what is known. Parked; its version stays
//!   open for a corrected fact with another id, later facts wait, and the
//!   withdrawals of the account stop, because its balances are in doubt.
//!
//! Delivery is at least once and the effect exactly once, because `(source, id)`
//! is unique for ever: a crash between commit and acknowledgement costs a pass
//! in which everything is a repeat.

mod batch;
mod gaps;
mod intervene;
mod lane;
mod reading;
pub(crate) mod stops;
mod translate;
mod writing;

use broker::{Delivery, Inbox, Settled};
use chrono::{DateTime, Utc};
use store::{Database, Vault};
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

pub use batch::Tally;
pub use gaps::{Watch, check_totals, report_gaps, resume, watch};
pub use intervene::{Blocked, Refused, Standing, Wish, end_stop, skip, status};

use crate::dead_letter::Letter;
use crate::failpoint::failpoint;
use crate::patience::patiently;
use crate::{Clock, Error};

/// The name of this worker in logs.
const WORKER: &str = "facts";

/// The most waiting facts of one account that one transaction takes along.
/// What is left over is found by [`watch`].
const CHAIN_MAX: i64 = 500;

/// What every step of this worker needs.
#[derive(Debug, Clone)]
pub struct Desk {
    /// Where the ledger is.
    pub database: Database,
    /// Seals waiting and parked messages, and account numbers.
    pub vault: Vault,
}

/// Applies facts until `stop` is raised; the batch in hand is finished first.
///
/// # Errors
/// When only a restart or a person can help.
pub async fn run(
    mut inbox: Inbox,
    database: Database,
    vault: Vault,
    clock: Clock,
    stop: CancellationToken,
) -> Result<(), Error> {
    let desk = Desk { database, vault };
    while let Some(batch) = inbox.next_batch(&stop).await {
        failpoint!("facts.taken");
        let Some(tally) = take_deliveries(&desk, &batch.deliveries, &clock, &stop).await? else {
            break; // Nothing was acknowledged, so the broker delivers the batch again.
        };
        failpoint!("facts.committed");
        let lost = batch.ack().await == Settled::Lost;
        failpoint!("facts.acknowledged");
        let Tally { applied, waiting, repeated, refused } = tally;
        info!(applied, waiting, repeated, refused, lost, "Facts committed a batch");
    }
    Ok(())
}

async fn take_deliveries(
    desk: &Desk,
    deliveries: &[Delivery],
    clock: &Clock,
    stop: &CancellationToken,
) -> Result<Option<Tally>, store::Error> {
    let letters: Vec<Letter<'_>> = deliveries.iter().map(Letter::from).collect();
    take(desk, &letters, clock.now(), stop).await
}

/// Takes messages: applies, keeps or parks each, and commits.
///
/// Waits for as long as the database is away; `None` when `stop` is raised
/// during such a wait. When the database refuses the batch, it is split until
/// the one message that it refuses is alone, and that one is parked.
///
/// # Errors
/// When only a restart or a person can help.
pub async fn take(
    desk: &Desk,
    letters: &[Letter<'_>],
    at: DateTime<Utc>,
    stop: &CancellationToken,
) -> Result<Option<Tally>, store::Error> {
    let mut total = Tally::default();
    let mut parts = vec![letters];
    while let Some(part) = parts.pop() {
        let chain = if part.len() == letters.len() { CHAIN_MAX } else { 0 };
        let work = batch::Work { letters: part, resume: &[], chain };
        match patiently(WORKER, stop, || batch::apply(desk, work, at)).await {
            Ok(Some(tally)) => total += tally,
            Ok(None) => return Ok(None),
            Err(store::Error::Refused(error)) if part.len() > 1 => {
                info!(%error, count = part.len(), "A batch of facts was refused and is split");
                let (front, back) = part.split_at(part.len() / 2);
                parts.extend([back, front]);
            }
            Err(store::Error::Refused(error)) => {
                let Some(tally) = take_alone(desk, &part[0], &error, (at, stop)).await? else {
                    return Ok(None);
                };
                total += tally;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(Some(total))
}

/// Takes the message without the facts that wait for it, which may be to blame;
/// when it is refused by itself too, it is parked.
async fn take_alone(
    desk: &Desk,
    letter: &Letter<'_>,
    refusal: &(dyn std::fmt::Display + Sync),
    (at, stop): (DateTime<Utc>, &CancellationToken),
) -> Result<Option<Tally>, store::Error> {
    let work = batch::Work { letters: std::slice::from_ref(letter), resume: &[], chain: 0 };
    match patiently(WORKER, stop, || batch::apply(desk, work, at)).await {
        Err(store::Error::Refused(_)) => {}
        done => return done,
    }
    error!(refusal = %refusal, message_id = letter.message_id, "The database refuses a fact; it is parked");
    patiently(WORKER, stop, || batch::park_poison(desk, letter, at)).await
}
