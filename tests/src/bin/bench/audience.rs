//! Listens to the events, as an upstream would.

use std::collections::HashMap;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use broker::Connections;
use broker::topology::EVENTS;
use chrono::{DateTime, Utc};
use futures::StreamExt;
use lapin::message::Delivery;
use lapin::options::{BasicConsumeOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Consumer};
use workers::Clock;

/// States in which nothing more happens to a withdrawal of this benchmark, and
/// which none of them should reach.
const WRONG_ENDS: &[&str] = &[
    "withdrawal.rejected",
    "withdrawal.awaiting_details",
    "withdrawal.failed",
    "withdrawal.partially_completed",
    "withdrawal.on_hold",
    "withdrawal.action_required",
];

/// What was heard.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    /// How many events of each kind.
    pub(crate) events: HashMap<String, usize>,
    /// When each withdrawal was heard to be completed, in this order.
    pub(crate) completed: Vec<Instant>,
}

impl Heard {
    /// Withdrawals in a second, from the first request taken to the last one completed.
    ///
    /// The beginning is in a row by the workers' clock, the event was heard by
    /// ours: both are the machine's.
    pub(crate) fn rate(&self, first_taken: DateTime<Utc>) -> u32 {
        let Some(last) = self.completed.last() else { return 0 };
        let took = (Clock::System.now() - first_taken).to_std().unwrap_or_default();
        let took = took.saturating_sub(last.elapsed()).as_millis().max(1);
        u32::try_from(self.completed.len() as u128 * 1_000 / took).unwrap_or(u32::MAX)
    }

    /// Counts one event.
    ///
    /// # Errors
    /// When a withdrawal came into a state that it should not.
    pub(crate) fn note(&mut self, event: &Delivery) -> Result<()> {
        let kind = event.routing_key.as_str();
        if WRONG_ENDS.contains(&kind) {
            bail!("an event that should not be: {}", String::from_utf8_lossy(&event.data));
        }
        if kind == "withdrawal.completed" {
            self.completed.push(Instant::now());
        }
        *self.events.entry(kind.to_owned()).or_default() += 1;
        Ok(())
    }
}

/// A queue of its own on the exchange of events.
pub(crate) struct Audience {
    consumer: Consumer,
    _channel: Channel,
}

impl Audience {
    /// Binds the queue; it goes away with the connection.
    pub(crate) async fn seat(connections: &Connections) -> Result<Self> {
        let channel = connections.consuming.try_channel().await?;
        let options = QueueDeclareOptions { exclusive: true, auto_delete: true, ..Default::default() };
        let queue = channel.queue_declare("".into(), options, FieldTable::default()).await?;
        let name = queue.name().clone();
        let bound = channel.queue_bind(
            name.clone(),
            EVENTS.into(),
            "withdrawal.#".into(),
            QueueBindOptions::default(),
            FieldTable::default(),
        );
        bound.await?;
        let options = BasicConsumeOptions { no_ack: true, ..Default::default() };
        let consumer = channel.basic_consume(name, "audience".into(), options, FieldTable::default()).await?;
        Ok(Self { consumer, _channel: channel })
    }

    /// The next event.
    pub(crate) async fn next(&mut self) -> Result<Delivery> {
        Ok(self.consumer.next().await.context("the broker is gone")??)
    }
}
