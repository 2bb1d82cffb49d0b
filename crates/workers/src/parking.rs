//! The parking duty: dead letters come out of their queue and into the books.
//!
//! ```text
//! outflow.dead ─▶ parked by a worker already? ─ yes ▶ ack
//!                            └ no: the broker gave up ▶ a row, committed ▶ ack
//! ```
//!
//! A worker that cannot use a message parks it itself, and its dead letter names the
//! row. What the broker gives up on has no row: a message that was delivered too
//! often, or expired. After this duty nothing is ever only in a queue, and people
//! see, mend and replay all of it alike ([`crate::parked`]).

use broker::contract::Problem;
use broker::{Delivery, Inbox, Settled};
use chrono::{DateTime, Utc};
use serde_json::json;
use store::parked::Parked;
use store::{Database, Tx, Vault, parked};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use uuid::Uuid;

use crate::dead_letter::{Letter, park};
use crate::failpoint::failpoint;
use crate::patience::patiently;
use crate::{Clock, Error};

/// The header by which our own dead letters name their row.
const PARKED: &str = "x-outflow-parked";

/// Why the broker gave up on a message, in its own words.
const REASON: &str = "x-first-death-reason";

/// The queue in which that happened.
const QUEUE: &str = "x-first-death-queue";

/// What a pass over a batch did.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// Dead letters whose row a worker had written.
    pub known: usize,
    /// Messages that the broker had given up on, and that have a row now.
    pub parked: usize,
}

/// Runs until `stop` is raised, and then finishes the batch in hand.
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
    while let Some(batch) = inbox.next_batch(&stop).await {
        failpoint!("parking.taken");
        let work = || take(&database, &batch.deliveries, &vault, clock.now());
        let Some(tally) = patiently("the parking", &stop, work).await? else { break };
        failpoint!("parking.committed");
        let lost = batch.ack().await == Settled::Lost;
        failpoint!("parking.acknowledged");
        let Tally { known, parked } = tally;
        info!(known, parked, lost, "Parking emptied the queue of dead letters");
    }
    Ok(())
}

/// Gives every dead letter its row, where it has none yet.
///
/// # Errors
/// When the database is away; nothing was written then.
pub async fn take(
    database: &Database,
    deliveries: &[Delivery],
    vault: &Vault,
    at: DateTime<Utc>,
) -> Result<Tally, store::Error> {
    let mut tx = database.begin().await?;
    let mut rows = Vec::new();
    for delivery in deliveries {
        if !has_row(&mut tx, delivery).await? {
            rows.push(given_up(delivery, vault));
        }
    }
    let known = deliveries.len() - rows.len();
    // A redelivery of a letter that was parked leaves no second row.
    let parked = parked::put(&mut tx, &rows, at).await?.len();
    failpoint!("parking.written");
    tx.commit().await.map_err(store::Error::from)?;
    if parked > 0 {
        warn!(parked, "The broker gave up on messages; they wait for people: outflow parked list");
    }
    Ok(Tally { known, parked })
}

/// Whether the letter names a row that is there: anybody can write a header.
async fn has_row(tx: &mut Tx, delivery: &Delivery) -> Result<bool, store::Error> {
    let named = delivery.header(PARKED).and_then(|it| it.parse::<Uuid>().ok());
    let Some(id) = named else { return Ok(false) };
    Ok(parked::find(tx, id).await?.is_some())
}

/// The row of a message that the broker took for poison or too old.
fn given_up(delivery: &Delivery, vault: &Vault) -> Parked {
    let reason = delivery.header(REASON).unwrap_or_default();
    let queue = delivery.header(QUEUE).unwrap_or_else(|| delivery.routing_key.clone());
    let problem = problem(&reason);
    let mut letter = Letter::from(delivery);
    letter.headers["died_of"] = json!(reason.chars().filter(|it| !it.is_control()).collect::<String>());
    park(letter, &queue, &problem, vault).0
}

fn problem(reason: &str) -> Problem {
    match reason {
        "delivery_limit" => Problem::with_status(
            "delivery_limit",
            422,
            "it was delivered again and again and never acknowledged: whoever took it broke down each time",
        ),
        "expired" => {
            let detail = "it waited in its queue for longer than its sender allowed";
            Problem::with_status("expired_in_queue", 422, detail)
        }
        _ => {
            let detail = "the broker put it among the dead letters; no worker had refused it";
            Problem::with_status("dead_lettered", 422, detail)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::problem;
    use crate::explanations;

    #[test]
    fn every_reason_of_the_broker_has_a_code_that_is_explained() {
        for (reason, code) in [
            ("delivery_limit", "delivery_limit"),
            ("expired", "expired_in_queue"),
            ("rejected", "dead_lettered"),
            ("maxlen", "dead_lettered"),
            ("", "dead_lettered"),
        ] {
            assert_eq!(&*problem(reason).code, code, "{reason}");
            assert!(explanations().any(|it| it.code == code), "{code}");
        }
    }
}
