//! How full each queue is, and whether anybody empties it.

use lapin::options::QueueDeclareOptions;
use lapin::types::FieldTable;

use crate::connection::{Connections, Error, NOT_FOUND, refusal};
use crate::topology::QUEUES;

/// A queue as the broker counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Depth {
    /// The queue.
    pub queue: &'static str,
    /// What the broker says; nothing where it has no such queue.
    pub counted: Option<Counted>,
}

/// What the broker says about a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// Messages that are ready, those in hand not among them.
    pub ready: u32,
    /// Who empties it.
    pub consumers: u32,
}

/// Every queue of the topology, in its order.
///
/// # Errors
/// When the broker is away, silent or refuses.
pub async fn depths(connections: &Connections) -> Result<Vec<Depth>, Error> {
    let mut found = Vec::with_capacity(QUEUES.len());
    let mut channel = connections.consuming.try_channel().await?;
    for queue in QUEUES {
        let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        let counted = match channel.queue_declare(queue.name.into(), options, FieldTable::default()).await {
            Ok(it) => Some(Counted { ready: it.message_count(), consumers: it.consumer_count() }),
            Err(error) if refusal(&error) == Some(NOT_FOUND) => {
                // The answer closed the channel.
                channel = connections.consuming.try_channel().await?;
                None
            }
            Err(error) => return Err(error.into()),
        };
        found.push(Depth { queue: queue.name, counted });
    }
    Ok(found)
}
