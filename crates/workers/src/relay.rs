//! The relay: carries the outbox to the broker, in order per withdrawal.
//!
//! ```text
//! outbox ─▶ claim shards ─▶ publish with confirms ─▶ mark published
//! ```
//!
//! One relay at a time serves a shard, and within a shard a message leaves only
//! after the one before it with the same key was confirmed. A crash between the
//! confirm and the mark publishes again: consumers drop repeats by their id.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use broker::contract::CodeIssued;
use broker::topology::EVENTS;
use broker::{Outgoing, Published, Publisher, Routing};
use store::outbox::{self, Unpublished};
use store::{Database, Tx};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, warn};

use crate::failpoint::{failpoint, planted};
use crate::patience::patiently;
use crate::{Clock, Error};

/// Messages of one shard that are taken at a time.
const PER_SHARD: i64 = 500;

/// How long the relay rests when the outbox is empty.
const REST: Duration = Duration::from_millis(10);

/// How long the relay rests when the broker did not take a message: there is no
/// use in hurrying, and a log line for each try is enough.
const STUCK_REST: Duration = Duration::from_secs(1);

/// Messages that are not kept once they are published: a verification code is
/// of no use to anybody but its customer (R10).
const NOT_KEPT: &[&str] = &[CodeIssued::ROUTING_KEY];

/// What became of the messages of a pass.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// On disk at the broker, and marked.
    pub confirmed: usize,
    /// Not confirmed; they and what comes after them wait in the outbox.
    pub stuck: usize,
}

/// Runs until `stop` is raised.
///
/// # Errors
/// When only a restart or a person can help.
pub async fn run(
    publisher: Publisher,
    database: Database,
    clock: Clock,
    stop: CancellationToken,
) -> Result<(), Error> {
    while !stop.is_cancelled() {
        let Some(tally) = patiently("the relay", &stop, || pass(&publisher, &database, &clock)).await? else {
            break;
        };
        let rest = match tally {
            Tally { stuck: 1.., .. } => STUCK_REST,
            Tally { confirmed: 0, .. } => REST,
            Tally { .. } => Duration::ZERO,
        };
        if !rest.is_zero() {
            tokio::select! {
                () = tokio::time::sleep(rest) => {}
                () = stop.cancelled() => {}
            }
        }
    }
    Ok(())
}

/// Publishes what waits now.
///
/// The transaction holds nothing but the shards' locks and ends with the marks.
///
/// # Errors
/// When the database is away; what was published will be published again.
pub async fn pass(publisher: &Publisher, database: &Database, clock: &Clock) -> Result<Tally, store::Error> {
    let mut tx: Tx = database.begin().await?;
    let shards = outbox::claim_shards(&mut tx).await?;
    let waiting = outbox::unpublished(&mut tx, &shards, PER_SHARD).await?;
    if waiting.is_empty() {
        return Ok(Tally::default());
    }
    failpoint!("relay.claimed");
    let mut confirmed = Vec::with_capacity(waiting.len());
    let mut stuck: HashSet<String> = HashSet::new();
    let rounds = if planted!("unordered-relay") { unordered(waiting) } else { rounds(waiting) };
    for round in rounds {
        let round: Vec<Unpublished> = round.into_iter().filter(|it| !stuck.contains(&it.key)).collect();
        let messages: Vec<Outgoing> = round.iter().map(message).collect();
        let answers = publisher.publish_all(&messages).await;
        for (sent, answer) in round.into_iter().zip(answers) {
            match answer {
                Published::Confirmed => confirmed.push(sent.id),
                Published::Returned(reason) => {
                    error!(
                        id = sent.id,
                        routing_key = sent.routing_key,
                        reason,
                        "No queue takes this message; it stays in the outbox"
                    );
                    stuck.insert(sent.key);
                }
                Published::Unknown(reason) => {
                    warn!(
                        id = sent.id,
                        reason, "The broker did not confirm; the message will be published again"
                    );
                    stuck.insert(sent.key);
                }
            }
        }
    }
    failpoint!("relay.published");
    outbox::published(&mut tx, &confirmed, NOT_KEPT, clock.now()).await?;
    failpoint!("relay.marked");
    tx.commit().await.map_err(store::Error::from)?;
    failpoint!("relay.committed");
    let tally = Tally { confirmed: confirmed.len(), stuck: stuck.len() };
    debug!(?tally, "The relay published a batch");
    Ok(tally)
}

/// Splits messages so that each round holds at most one message of a key, the
/// oldest first.
fn rounds(messages: Vec<Unpublished>) -> Vec<Vec<Unpublished>> {
    let mut place: BTreeMap<String, usize> = BTreeMap::new();
    let mut rounds: Vec<Vec<Unpublished>> = Vec::new();
    for message in messages {
        let place = place.entry(message.key.clone()).or_default();
        if rounds.len() <= *place {
            rounds.push(Vec::new());
        }
        rounds[*place].push(message);
        *place += 1;
    }
    rounds
}

/// The planted bug of a test: all at once, and a message does not wait for the one before it.
fn unordered(mut messages: Vec<Unpublished>) -> Vec<Vec<Unpublished>> {
    messages.reverse();
    vec![messages]
}

/// The message as the broker takes it. Whatever is not an event for whoever
/// listens must reach a queue.
fn message(row: &Unpublished) -> Outgoing {
    let headers: BTreeMap<String, String> = serde_json::from_value(row.headers.clone()).unwrap_or_default();
    Outgoing {
        exchange: row.exchange.clone(),
        routing_key: row.routing_key.clone(),
        routing: if row.exchange == EVENTS { Routing::Optional } else { Routing::Mandatory },
        message_id: row.id.to_string(),
        content_type: row.content_type.clone(),
        headers,
        body: row.body.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use store::outbox::Unpublished;

    use super::rounds;

    #[test]
    fn a_message_waits_for_the_one_before_it_with_the_same_key() {
        let message = |id, key: &str| Unpublished {
            id,
            key: key.to_owned(),
            exchange: String::new(),
            routing_key: String::new(),
            content_type: String::new(),
            headers: json!({}),
            body: Vec::new(),
        };
        let split =
            rounds(vec![message(1, "a"), message(2, "b"), message(3, "a"), message(4, "a"), message(5, "c")]);
        let ids: Vec<Vec<i64>> = split.iter().map(|round| round.iter().map(|it| it.id).collect()).collect();
        assert_eq!(ids, [vec![1, 2, 5], vec![3], vec![4]]);
    }
}
