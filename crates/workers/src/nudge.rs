//! Nudges: internal messages that carry an id and nothing else.
//!
//! The row is the truth. A nudge only says that it is worth looking at, so a
//! lost one costs time and a repeated one costs a look. Its trace is a courtesy to
//! those who watch the broker: who takes it reads the row's.

use broker::Delivery;
use broker::contract::{nudge as body, parse_nudge};
use store::Vault;
use store::outbox::Outgoing;
use store::parked::Parked;
use uuid::Uuid;

use crate::dead_letter::park;
use crate::events::trace_header;

/// A nudge for `queue`, in the trace of its withdrawal where that is known. Its order
/// among other messages does not matter.
pub(crate) fn nudge(queue: &str, id: Uuid, traceparent: Option<&str>) -> Outgoing {
    Outgoing {
        key: id.to_string(),
        exchange: broker::topology::WORK,
        routing_key: queue.to_owned(),
        content_type: "application/json",
        headers: trace_header(traceparent),
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
