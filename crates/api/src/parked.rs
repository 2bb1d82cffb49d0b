//! Parked messages over HTTP: grouped, listed, opened, sent again, discarded.
//!
//! Whoever may look at withdrawals may see that messages wait and why. A body
//! is opened for operators alone, masked, and each opening is audited.

use axum::body::Bytes;
use axum::extract::{Path, Query, State as Extract};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use store::parked::{self, Group, Kept, Wanted as Which};
use store::{Database, audit};
use uuid::Uuid;

use crate::State;
use crate::answer::{self, Json};
use crate::body::{self, Because};
use crate::person::Person;
use crate::refusal::Refusal;
use crate::withdrawal::limit;

/// Which messages are wanted.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// Those that somebody dealt with.
    #[serde(default)]
    resolved: bool,
    queue: Option<String>,
    code: Option<String>,
    cursor: Option<Uuid>,
    limit: Option<i64>,
}

/// `GET /v1/parked-messages/groups`
pub(crate) async fn groups(Extract(state): Extract<State>) -> Result<Json, Refusal> {
    let mut connection = state.database.pool().acquire().await.map_err(store::Error::from)?;
    let groups = parked::groups(&mut connection).await?;
    let group = |it: &Group| {
        json!({
            "queue": it.queue, "code": it.code, "title": it.title, "number": it.number,
            "oldest": it.oldest, "newest": it.newest,
        })
    };
    Ok(json!({ "items": groups.iter().map(group).collect::<Value>(), "next": null }).into())
}

/// `GET /v1/parked-messages`
pub(crate) async fn list(
    Extract(state): Extract<State>,
    Query(wanted): Query<Wanted>,
) -> Result<Json, Refusal> {
    let limit = limit(wanted.limit)?;
    let Wanted { resolved, queue, code, cursor, .. } = wanted;
    let mut connection = state.database.pool().acquire().await.map_err(store::Error::from)?;
    let which = Which { resolved, queue, code, before: cursor, limit };
    let rows = parked::page(&mut connection, &which).await?;
    Ok(answer::page(&rows.iter().map(outside).collect::<Vec<_>>(), limit, |it| it["id"].clone()))
}

/// A message without its body.
fn outside(it: &Kept) -> Value {
    json!({
        "id": it.id, "queue": it.queue, "message_id": it.message_id, "digest": hex::encode(&it.digest),
        "headers": it.headers, "problem": it.problem, "parked_at": it.parked_at,
        "resolved_at": it.resolved_at, "resolution": it.resolution, "resolved_by": it.resolved_by,
        "reason": it.reason, "diff": it.diff,
    })
}

/// `GET /v1/parked-messages/{id}`
pub(crate) async fn show(
    Extract(state): Extract<State>,
    person: Person,
    Path(id): Path<String>,
) -> Result<Json, Refusal> {
    let (kept, body, replacement) = open(&state, &person, number(&id)?).await?;
    let mut message = outside(&kept);
    message["body"] = body.into();
    message["replacement"] = replacement.into();
    Ok(message.into())
}

/// Opens a message for somebody, and writes down that they saw it.
pub(crate) async fn open(
    state: &State,
    person: &Person,
    id: Uuid,
) -> Result<(Kept, String, Option<String>), Refusal> {
    let engine = &state.desk()?.engine;
    let deed = person.deed("open_parked", id.to_string());
    let reading = tokio::spawn(read(state.database.clone(), id, deed, engine.now()));
    let kept = reading.await.map_err(|_| store::Error::Stale { what: "a parked message" })??;
    let kept = kept.ok_or_else(no_such_message)?;
    let (body, replacement) = engine.opened(&kept)?;
    Ok((kept, body, replacement))
}

async fn read(
    database: Database,
    id: Uuid,
    deed: audit::Deed,
    at: chrono::DateTime<chrono::Utc>,
) -> Result<Option<Kept>, store::Error> {
    let mut tx = database.begin().await?;
    let kept = parked::find(&mut tx, id).await?;
    if kept.is_some() {
        audit::put(&mut tx, &deed, at).await?;
    }
    tx.commit().await?;
    Ok(kept)
}

/// The number of a parked message, as it stands in an address.
pub(crate) fn number(text: &str) -> Result<Uuid, Refusal> {
    text.parse().map_err(|_| no_such_message())
}

fn no_such_message() -> Refusal {
    Refusal::new("no_such_message", StatusCode::NOT_FOUND, "there is no parked message of this number")
}

/// What shall be sent instead, and why.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Replay {
    reason: String,
    /// The edited text; the message as it came when left out.
    body: Option<String>,
}

/// `POST /v1/parked-messages/{id}/replay`
pub(crate) async fn replay(
    Extract(state): Extract<State>,
    person: Person,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json, Refusal> {
    let Replay { reason, body } = body::own(&body)?;
    let diff = send_again(&state, &person, (number(&id)?, body), &reason).await?;
    Ok(json!({ "id": number(&id)?, "resolution": "replayed", "diff": diff }).into())
}

/// Sends a message again in the name of somebody.
pub(crate) async fn send_again(
    state: &State,
    person: &Person,
    (id, edited): (Uuid, Option<String>),
    reason: &str,
) -> Result<Value, Refusal> {
    let reason = body::reason(reason)?;
    let deed = person.deed("replay_parked", id.to_string()).with(json!({ "reason": reason }));
    Ok(state.desk()?.engine.replay(id, edited, deed).await?)
}

/// `POST /v1/parked-messages/{id}/discard`
pub(crate) async fn discard(
    Extract(state): Extract<State>,
    person: Person,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json, Refusal> {
    let reason = body::own::<Because>(&body)?.reason;
    throw_away(&state, &person, number(&id)?, &reason).await?;
    Ok(json!({ "id": number(&id)?, "resolution": "discarded" }).into())
}

/// Discards a message in the name of somebody.
pub(crate) async fn throw_away(
    state: &State,
    person: &Person,
    id: Uuid,
    reason: &str,
) -> Result<(), Refusal> {
    let reason = body::reason(reason)?;
    let deed = person.deed("discard_parked", id.to_string()).with(json!({ "reason": reason }));
    Ok(state.desk()?.engine.discard(id, deed).await?)
}
