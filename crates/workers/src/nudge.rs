//! Nudges: internal messages that carry an id and nothing else.
//!
//! The row is the truth. A nudge only says that it is worth looking at, so a
//! lost one costs time and a repeated one costs a look.

use broker::Delivery;
use broker::contract::{nudge as body, parse_nudge};
use serde_json::json;
use store::Vault;
use store::outbox::Outgoing;
use store::parked::Parked;
use uuid::Uuid;

use crate::dead_letter::park;

/// A nudge for `queue`. Its order among other messages does not matter.
pub(crate) fn nudge(queue: &str, id: Uuid) -> Outgoing {
    Outgoing {
        key: id.to_string(),
        exchange: broker::topology::WORK,
        routing_key: queue.to_owned(),
        content_type: "application/json",
        headers: json!({}),
        body: body(id),
    }
}

/// The rows that a batch of nudges names, and what in the batch is no nudge.
pub(crate) fn read(
    deliveries: &[Delivery],
    queue: &str,
    vault: &Vault,
) -> (Vec<Uuid>, Vec<(Parked, Outgoing)>) {
    let (mut ids, mut refused) = (Vec::with_capacity(deliveries.len()), Vec::new());
    for delivery in deliveries {
        match parse_nudge(&delivery.body) {
            Ok(id) => ids.push(id),
            Err(problem) => refused.push(park(delivery, queue, &problem, vault)),
        }
    }
    (ids, refused)
}
