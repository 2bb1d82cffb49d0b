//! Requests that came before: answered again, and never done again.
//!
//! The same payload gets the state of its withdrawal; another payload under an
//! old id is a conflict, is told which fields differ, and changes nothing.

use std::collections::HashMap;

use broker::contract::{RequestRepeated, Verdict, differing_fields};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use store::requests::{self, Repeat};
use store::withdrawals::{self, Withdrawal};
use store::{Tx, outbox};
use uuid::Uuid;

use super::ask::Ask;
use crate::events;

/// A request that was decided before, or earlier in the same batch.
#[derive(Debug)]
pub(super) struct Known {
    /// The withdrawal that answers it.
    withdrawal_id: Uuid,
    /// That withdrawal, when an earlier batch decided it.
    withdrawal: Option<Withdrawal>,
    /// SHA-256 of what came now.
    digest: Vec<u8>,
    /// The fields in which it differs; none when it is the same.
    pub(super) differing: Vec<String>,
}

impl Known {
    /// The withdrawal that answers it. `written` are those of this batch.
    pub(super) fn answer<'a>(&'a self, written: &'a [Withdrawal]) -> &'a Withdrawal {
        let of_batch = || written.iter().find(|it| it.id == self.withdrawal_id);
        let withdrawal = self.withdrawal.as_ref().or_else(of_batch);
        withdrawal.expect("what is known was decided before, or in this batch")
    }

    /// The number of that withdrawal, and the fields in which it differs.
    pub(super) fn into_parts(self) -> (Uuid, Vec<String>) {
        (self.withdrawal_id, self.differing)
    }
}

/// Tells new requests, by their places, from those that are known.
pub(super) async fn tell_apart(
    tx: &mut Tx,
    asks: &[Ask<'_>],
) -> Result<(Vec<usize>, Vec<Known>), store::Error> {
    let (sources, ids): (Vec<_>, Vec<_>) = asks.iter().map(Ask::key).unzip();
    let known = withdrawals::known_requests(tx, &sources, &ids).await?;
    let known: HashMap<(&str, &str), &Withdrawal> =
        known.iter().map(|it| ((it.source.as_str(), it.request_id.as_str()), it)).collect();
    let other: Vec<Uuid> = asks
        .iter()
        .filter_map(|ask| known.get(&ask.key()).filter(|it| it.digest != ask.digest))
        .map(|it| it.id)
        .collect();
    let originals = requests::originals(tx, &other).await?;
    let mut first: HashMap<(&str, &str), &Ask<'_>> = HashMap::new();
    let (mut new, mut repeats) = (Vec::with_capacity(asks.len()), Vec::new());
    for (place, ask) in asks.iter().enumerate() {
        let (withdrawal_id, withdrawal, before) = if let Some(it) = known.get(&ask.key()) {
            (it.id, Some((*it).clone()), originals.get(&it.id))
        } else if let Some(it) = first.get(&ask.key()) {
            (it.id, None, Some(&it.form))
        } else {
            first.insert(ask.key(), ask);
            new.push(place);
            continue;
        };
        let differing = before.map(|before| differing_fields(before, &ask.form)).unwrap_or_default();
        repeats.push(Known { withdrawal_id, withdrawal, digest: ask.digest.clone(), differing });
    }
    Ok((new, repeats))
}

/// Keeps and answers repeats. `written` are the withdrawals of this batch.
pub(super) async fn write(
    tx: &mut Tx,
    repeats: &[Known],
    written: &[Withdrawal],
    at: DateTime<Utc>,
) -> Result<(), store::Error> {
    let (mut rows, mut answers) = (Vec::new(), Vec::new());
    for known in repeats {
        let withdrawal = known.answer(written);
        let id = Uuid::now_v7();
        let verdict = if known.differing.is_empty() { Verdict::Same } else { Verdict::Conflict };
        let event = RequestRepeated {
            withdrawal_id: withdrawal.id,
            request: events::request_of(withdrawal),
            state: withdrawal.state,
            verdict,
            differing: known.differing.clone(),
        };
        let routing_key = RequestRepeated::ROUTING_KEY.to_owned();
        answers.push(events::message(withdrawal, routing_key, event.into_message(id, at)));
        rows.push(Repeat {
            id,
            withdrawal_id: withdrawal.id,
            verdict: if verdict == Verdict::Same { "same" } else { "conflict" },
            digest: known.digest.clone(),
            differing: if known.differing.is_empty() {
                Value::Array(Vec::new())
            } else {
                json!(known.differing)
            },
        });
    }
    requests::repeated(tx, &rows, at).await?;
    outbox::put(tx, &answers, at).await
}
