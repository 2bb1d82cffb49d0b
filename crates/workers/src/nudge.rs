//! Nudges: internal messages that carry the ids of rows and nothing else.
//!
//! The row is the truth. A nudge only says that it is worth looking at, so a
//! lost one costs time and a repeated one costs a look. Its trace is a courtesy to
//! those who watch the broker: who takes it reads the row's. Rows that one
//! transaction tells of share nudges, as far as they belong to the same trace or to none.

use std::collections::BTreeMap;

use broker::Delivery;
use broker::contract::{NUDGE_ROWS, nudge as body, parse_nudge};
use chrono::{DateTime, Utc};
use store::outbox::Outgoing;
use store::{Database, Vault};
use uuid::Uuid;

use crate::dead_letter::{self, park};
use crate::events::trace_header;

/// The rows that one transaction tells of, by their queue and their trace.
#[derive(Debug, Default)]
pub(crate) struct Nudges(BTreeMap<(&'static str, Option<String>), Vec<Uuid>>);

impl Nudges {
    /// Tells `queue` of a row, in the trace of its withdrawal where that is known.
    pub(crate) fn add(&mut self, queue: &'static str, row: Uuid, traceparent: Option<&str>) {
        self.0.entry((queue, traceparent.map(str::to_owned))).or_default().push(row);
    }

    /// The messages. Their order among others does not matter.
    pub(crate) fn messages(&self) -> impl Iterator<Item = Outgoing> {
        self.0.iter().flat_map(|((queue, traceparent), rows)| {
            rows.chunks(NUDGE_ROWS).map(|rows| Outgoing {
                key: rows[0].to_string(),
                exchange: broker::topology::WORK,
                routing_key: (*queue).to_owned(),
                content_type: "application/json",
                headers: trace_header(traceparent.as_deref()),
                body: body(rows),
            })
        })
    }
}

/// The rows that a batch of nudges names. What in the batch is no nudge is a dead
/// letter when this returns, once, however often it is delivered.
///
/// # Errors
/// When the database is away.
pub(crate) async fn accept(
    deliveries: &[Delivery],
    queue: &str,
    (database, vault): (&Database, &Vault),
    at: DateTime<Utc>,
) -> Result<Vec<Uuid>, store::Error> {
    let (mut rows, mut refused) = (Vec::with_capacity(deliveries.len()), Vec::new());
    for delivery in deliveries {
        match parse_nudge(&delivery.body) {
            Ok(named) => rows.extend(named),
            Err(problem) => refused.push(park(delivery, queue, &problem, vault)),
        }
    }
    if !refused.is_empty() {
        let mut tx = database.begin().await?;
        dead_letter::put(&mut tx, refused, at).await?;
        tx.commit().await?;
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use broker::contract::{NUDGE_ROWS, parse_nudge};
    use uuid::Uuid;

    use super::Nudges;

    #[test]
    fn rows_share_a_nudge_where_queue_and_trace_are_the_same() {
        let mut nudges = Nudges::default();
        for row in 0..=NUDGE_ROWS as u128 {
            nudges.add("a", Uuid::from_u128(row), None);
        }
        nudges.add("a", Uuid::from_u128(500), Some("trace-1"));
        nudges.add("a", Uuid::from_u128(501), Some("trace-1"));
        nudges.add("a", Uuid::from_u128(502), Some("trace-2"));
        nudges.add("b", Uuid::from_u128(503), None);
        let told: Vec<(String, usize)> =
            nudges.messages().map(|it| (it.routing_key, parse_nudge(&it.body).unwrap().len())).collect();
        let queue = |name: &str, rows| (name.to_owned(), rows);
        assert_eq!(
            told,
            [queue("a", NUDGE_ROWS), queue("a", 1), queue("a", 2), queue("a", 1), queue("b", 1)]
        );
    }
}
