//! Queues of its own on every event, as an upstream would have, and on every dead
//! letter: evidence from outside.
//!
//! They are filled while everything goes wrong and read when it is over.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use broker::Connections;
use broker::topology::{DEAD, DEAD_LETTERS, EVENTS};
use futures::StreamExt;
use lapin::message::Delivery;
use lapin::options::{BasicAckOptions, BasicConsumeOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use serde::Deserialize;
use tokio::time::timeout;

/// The queue of events.
const QUEUE: &str = "chaos.audience";

/// The queue of dead letters: their own one is emptied into the books meanwhile.
const LETTERS: &str = "chaos.letters";

/// So many are acknowledged at a time.
const PART: usize = 500;

/// Silence after which a queue is read to its end, when everything that was in it was read.
const SILENCE: Duration = Duration::from_secs(1);

/// How long a busy broker may pause before.
const PATIENCE: Duration = Duration::from_secs(30);

/// What was heard of one withdrawal: the places of its events, in the order in which
/// each was heard for the first time.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    /// By the withdrawal's number.
    pub(crate) sequences: BTreeMap<String, Vec<i64>>,
    /// How often each request was told of, by its id.
    pub(crate) requests: BTreeMap<String, u64>,
    /// Events that were heard again.
    pub(crate) repeats: u64,
    /// Events in all, repeats included.
    pub(crate) events: u64,
}

#[derive(Deserialize)]
struct Event {
    id: String,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    request: Option<Request>,
}

#[derive(Deserialize)]
struct Request {
    id: String,
}

/// Declares the queues before anything is published.
///
/// # Errors
/// When the broker is away.
pub(crate) async fn seat(connections: &Connections) -> Result<()> {
    let channel = connections.consuming.try_channel().await?;
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    for (queue, exchange) in [(QUEUE, EVENTS), (LETTERS, DEAD_LETTERS)] {
        let durable = QueueDeclareOptions::durable();
        channel.queue_declare(queue.into(), durable, arguments.clone()).await?;
        let (bind, table) = (QueueBindOptions::default(), FieldTable::default());
        channel.queue_bind(queue.into(), exchange.into(), "#".into(), bind, table).await?;
    }
    Ok(())
}

/// Every message of a queue, in its order.
async fn read(connections: &Connections, queue: &str) -> Result<Vec<Delivery>> {
    let channel = connections.consuming.channel().await;
    let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::durable() };
    let there = channel.queue_declare(queue.into(), passive, FieldTable::default()).await?;
    let expected = usize::try_from(there.message_count())?;
    let (tag, table) = (format!("reader-{queue}"), FieldTable::default());
    let options = BasicConsumeOptions::default();
    let mut consumer = channel.basic_consume(queue.into(), tag.as_str().into(), options, table).await?;
    let mut messages = Vec::new();
    loop {
        let patience = if messages.len() < expected { PATIENCE } else { SILENCE };
        let Ok(delivery) = timeout(patience, consumer.next()).await else { break };
        let delivery: Delivery = delivery.context("the broker ended the reading")??;
        // A quorum queue gives nobody more than 2,000 that are not acknowledged.
        if (messages.len() + 1).is_multiple_of(PART) {
            delivery.ack(BasicAckOptions { multiple: true }).await?;
        }
        messages.push(delivery);
    }
    ensure!(messages.len() >= expected, "{} of {expected} messages of {queue} were read", messages.len());
    // The last part may have been acknowledged already.
    if let Some(last) = messages.last().filter(|_| !messages.len().is_multiple_of(PART)) {
        last.ack(BasicAckOptions { multiple: true }).await?;
    }
    channel.close(200, "read".into()).await?;
    Ok(messages)
}

/// What was heard.
///
/// # Errors
/// When the broker is away, or said something that is no event.
pub(crate) async fn listen(connections: &Connections) -> Result<Heard> {
    let mut heard = Heard::default();
    for delivery in read(connections, QUEUE).await? {
        heard.events += 1;
        let event: Event = serde_json::from_slice(&delivery.data).context("an event that cannot be read")?;
        if let Some(request) = event.data.request {
            *heard.requests.entry(request.id).or_default() += 1;
        }
        // Events about a withdrawal are named after it and their place; others are not.
        let Some((withdrawal, sequence)) = event.id.rsplit_once(':') else { continue };
        let Ok(sequence) = sequence.parse() else { continue };
        let sequences = heard.sequences.entry(withdrawal.to_owned()).or_default();
        if sequences.contains(&sequence) {
            heard.repeats += 1;
        } else {
            sequences.push(sequence);
        }
    }
    Ok(heard)
}

/// The dead letters that were heard.
#[derive(Debug, Default)]
pub(crate) struct Letters {
    /// How often each row was named by one.
    pub(crate) by_row: BTreeMap<String, u64>,
    /// The ids of messages that the broker gave up on: no worker wrote a row for them.
    pub(crate) given_up: BTreeSet<String>,
    /// How many are still in their queue.
    pub(crate) waiting: usize,
}

/// Every dead letter.
///
/// # Errors
/// When the broker is away.
pub(crate) async fn dead_letters(connections: &Connections) -> Result<Letters> {
    let mut letters = Letters { waiting: read(connections, DEAD).await?.len(), ..Letters::default() };
    for delivery in read(connections, LETTERS).await? {
        let headers = delivery.properties.headers().clone().unwrap_or_default();
        if let Some(AMQPValue::LongString(row)) = headers.inner().get("x-outflow-parked") {
            *letters.by_row.entry(row.to_string()).or_default() += 1;
        } else {
            letters.given_up.extend(delivery.properties.message_id().as_ref().map(ToString::to_string));
        }
    }
    Ok(letters)
}
