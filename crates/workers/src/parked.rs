//! What people do about parked messages: look, send again, or throw away.
//!
//! ```text
//! parked ─ show ─▶ masked text ─ edit ─▶ restored ─ fits the contract? ─▶ outbox ─▶ its queue
//!    └──── discard                                        └ no: the problem, and nothing happens
//! ```
//!
//! The original stays as it came. What is sent instead is a message of its own,
//! kept sealed beside it with the difference; the worker of its queue judges it
//! like any other, so that a replay can do nothing that a sender could not.

mod edit;

use broker::contract::{CONTENT_TYPE, Problem, parse_fact, parse_instruction, parse_nudge, parse_request};
use broker::topology::{DECISIONS, FACTS, REQUESTS, WORK};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use store::outbox::{self, Outgoing};
use store::parked::{self, Kept, Resolution};
use store::{Tx, Vault};
use uuid::Uuid;

use crate::dead_letter::{masked, open};

/// The longest text that is shown of a message.
const SHOWN_MAX: usize = 256 * 1024;

/// Why nothing was done about a parked message.
#[derive(Debug, thiserror::Error)]
pub enum ParkedError {
    /// A rule says no; nothing changed.
    #[error("{0}")]
    Refused(Problem),
    /// The database is away, or the message cannot be opened.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// The message as people may see it: account numbers are their last four
/// characters, proofs are gone. JSON is laid out over several lines.
///
/// # Errors
/// [`store::Error::Unreadable`] when its key is not in the ring.
pub fn shown(kept: &Kept, vault: &Vault) -> Result<String, store::Error> {
    let body = open(kept.id, &kept.body, vault)?;
    Ok(laid_out(&body))
}

/// The same of what was sent instead, where something was.
///
/// # Errors
/// [`store::Error::Unreadable`] when its key is not in the ring.
pub fn shown_replacement(kept: &Kept, vault: &Vault) -> Result<Option<String>, store::Error> {
    let Some(sealed) = &kept.replacement else { return Ok(None) };
    let body = vault.open(&replacement_name(kept.id), sealed)?;
    Ok(Some(laid_out(&body)))
}

fn laid_out(body: &[u8]) -> String {
    let text = masked(body, SHOWN_MAX);
    match serde_json::from_slice::<Value>(&text) {
        Ok(value) => format!("{value:#}"),
        Err(_) => String::from_utf8_lossy(&text).into_owned(),
    }
}

/// Sends a parked message again, `edited` or as it came, and resolves its row.
/// What the edit left masked is taken from the original.
///
/// # Errors
/// [`ParkedError::Refused`] when there is no such message, somebody dealt with
/// it, or what would be sent does not fit the contract either.
///
/// # Panics
/// Never: the queues of the contract have parsers.
pub async fn replay(
    tx: &mut Tx,
    vault: &Vault,
    (id, edited): (Uuid, Option<&str>),
    (by, reason): (&str, &str),
    at: DateTime<Utc>,
) -> Result<Value, ParkedError> {
    let kept = waiting(tx, id).await?;
    let original = open(id, &kept.body, vault)?;
    let sent = match edited {
        Some(text) => {
            let body = edit::restored(&original, text).map_err(ParkedError::Refused)?;
            nobody_elses(&kept.queue, (&original, &body), by).map_err(ParkedError::Refused)?;
            body
        }
        None => original.clone(),
    };
    if let Some(problem) = unfit(&kept.queue, &sent) {
        return Err(ParkedError::Refused(problem));
    }
    let diff = edit::difference(&original, &sent);
    let sealed = vault.seal(&replacement_name(id), &sent);
    outbox::put(tx, &[message(&kept, sent)], at).await?;
    let resolution = Resolution {
        what: "replayed",
        by: by.to_owned(),
        reason: reason.to_owned(),
        sent: Some((sealed, diff.clone())),
    };
    resolve(tx, id, &resolution, at).await?;
    Ok(diff)
}

/// Resolves a parked message without sending anything.
///
/// # Errors
/// [`ParkedError::Refused`] when there is no such message, or somebody dealt with it.
pub async fn discard(
    tx: &mut Tx,
    id: Uuid,
    (by, reason): (&str, &str),
    at: DateTime<Utc>,
) -> Result<(), ParkedError> {
    waiting(tx, id).await?;
    let resolution =
        Resolution { what: "discarded", by: by.to_owned(), reason: reason.to_owned(), sent: None };
    resolve(tx, id, &resolution, at).await
}

async fn waiting(tx: &mut Tx, id: Uuid) -> Result<Kept, ParkedError> {
    let kept = parked::lock(tx, id).await?.ok_or_else(|| {
        ParkedError::Refused(Problem::with_status(
            "no_such_message",
            404,
            "there is no parked message of this number",
        ))
    })?;
    match (&kept.resolution, &kept.resolved_by) {
        (Some(what), Some(by)) => {
            let detail = format!("{by} dealt with it already: it was {what}");
            Err(ParkedError::Refused(Problem::with_status("already_resolved", 409, detail)))
        }
        _ => Ok(kept),
    }
}

async fn resolve(tx: &mut Tx, id: Uuid, how: &Resolution, at: DateTime<Utc>) -> Result<(), ParkedError> {
    if parked::resolve(tx, id, how, at).await? {
        return Ok(());
    }
    Err(store::Error::Stale { what: "a parked message" }.into())
}

/// Why a body does not fit the queue that it would go to; nothing when it does.
fn unfit(queue: &str, body: &[u8]) -> Option<Problem> {
    match queue {
        REQUESTS => parse_request(body).err(),
        FACTS => parse_fact(body).err(),
        DECISIONS => parse_instruction(body).err(),
        // The others carry the numbers of rows and nothing else.
        _ => parse_nudge(body).err(),
    }
}

/// S01, S10: nobody speaks for somebody else by way of an edit. A decision is made
/// anew instead, and who asks for money stays who they are, or is the editor.
fn nobody_elses(queue: &str, (original, body): (&[u8], &[u8]), by: &str) -> Result<(), Problem> {
    let said = |body: &[u8]| serde_json::from_slice::<Value>(body).ok();
    if queue == DECISIONS && said(original) != said(body) {
        let detail = "a decision cannot be edited; make it anew in your own name, and discard this one";
        return Err(Problem::with_status("not_yours", 403, detail).by_rule("S01"));
    }
    let requester = |body: &[u8]| {
        let value: Value = serde_json::from_slice(body).unwrap_or_default();
        value.pointer("/data/requester").and_then(Value::as_str).map(str::to_owned)
    };
    let (before, after) = (requester(original), requester(body));
    if queue == REQUESTS && after != before && after.as_deref() != Some(by) {
        let detail = "must stay who asked, or become who edits";
        return Err(Problem::with_status("not_yours", 403, detail).at("/data/requester").by_rule("S01"));
    }
    Ok(())
}

fn message(kept: &Kept, body: Vec<u8>) -> Outgoing {
    let mut headers = json!({ "x-outflow-replay-of": kept.id.to_string() });
    if let Some(trace) = kept.headers.get("traceparent") {
        headers["traceparent"] = trace.clone();
    }
    Outgoing {
        key: kept.id.to_string(),
        exchange: WORK,
        routing_key: kept.queue.clone(),
        content_type: CONTENT_TYPE,
        headers,
        body,
    }
}

/// What binds the sealed replacement to its row.
fn replacement_name(id: Uuid) -> String {
    format!("parked_message:{id}:replacement")
}
