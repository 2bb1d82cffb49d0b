//! Reconciliation over HTTP: settlement days, and what does not agree between a
//! statement and our books.
//!
//! Resolving a difference says that somebody looked into it. It moves no money:
//! the next comparison of its day closes the day when nothing else is open.

use axum::body::Bytes;
use axum::extract::{Path, Query, State as Extract};
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use domain::{Currency, Money};
use serde::Deserialize;
use serde_json::{Value, json};
use store::audit::Deed;
use store::statement_days::{self, Day};
use store::statement_differences::{self as differences, Difference, Which};
use store::{Database, audit};
use uuid::Uuid;

use crate::State;
use crate::answer::Json;
use crate::body::{self, Because};
use crate::person::Person;
use crate::refusal::Refusal;
use crate::withdrawal::limit;

/// Which differences are wanted.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// Those that are resolved, too.
    #[serde(default)]
    resolved: bool,
    limit: Option<i64>,
}

/// `GET /v1/reconciliation/days`
pub(crate) async fn days(Extract(state): Extract<State>, Query(wanted): Query<Few>) -> Result<Json, Refusal> {
    let limit = limit(wanted.limit)?;
    let mut connection = state.database.pool().acquire().await.map_err(store::Error::from)?;
    let days = statement_days::newest(&mut connection, limit).await?;
    let items: Value = days.iter().map(|(day, open)| day_in_json(day, *open)).collect();
    Ok(json!({ "items": items, "next": null }).into())
}

/// How many are wanted.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Few {
    limit: Option<i64>,
}

/// `GET /v1/reconciliation/differences`
pub(crate) async fn list(
    Extract(state): Extract<State>,
    Query(wanted): Query<Wanted>,
) -> Result<Json, Refusal> {
    let limit = limit(wanted.limit)?;
    let which = if wanted.resolved { Which::All } else { Which::Open };
    let mut connection = state.database.pool().acquire().await.map_err(store::Error::from)?;
    let found = differences::list(&mut connection, None, which, limit).await?;
    Ok(json!({ "items": found.iter().map(difference).collect::<Value>(), "next": null }).into())
}

/// `POST /v1/reconciliation/differences/{id}/resolve`
pub(crate) async fn resolve(
    Extract(state): Extract<State>,
    person: Person,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json, Refusal> {
    let reason = body::own::<Because>(&body)?.checked()?;
    let id: Uuid = id.parse().map_err(|_| no_difference())?;
    settle(&state, &person, id, reason).await?;
    Ok(json!({ "id": id, "resolved_by": person.name }).into())
}

/// Resolves a difference in a task of its own: a caller that hangs up must not end
/// a transaction half-way.
pub(crate) async fn settle(state: &State, person: &Person, id: Uuid, reason: String) -> Result<(), Refusal> {
    let at = state.desk()?.engine.now();
    let deed = person.deed("resolve_difference", id.to_string()).with(json!({ "reason": reason }));
    let work = write(state.database.clone(), id, (deed, reason), at);
    let done = tokio::spawn(work).await.map_err(|_| store::Error::Stale { what: "a difference" })??;
    if done { Ok(()) } else { Err(no_difference()) }
}

async fn write(
    database: Database,
    id: Uuid,
    (deed, reason): (Deed, String),
    at: DateTime<Utc>,
) -> Result<bool, store::Error> {
    let mut tx = database.begin().await?;
    if differences::resolve(&mut tx, id, (&deed.actor, &reason), at).await?.is_none() {
        return Ok(false);
    }
    audit::put(&mut tx, &deed, at).await?;
    tx.commit().await?;
    Ok(true)
}

pub(crate) fn no_difference() -> Refusal {
    Refusal::new("no_such_difference", StatusCode::NOT_FOUND, "there is no open difference of this number")
}

fn day_in_json(day: &Day, open: i64) -> Value {
    let taken = day.taken.as_ref().map(|it| {
        json!({
            "digest": hex::encode(&it.digest), "lines": it.lines, "total": cny(it.total), "source": it.source,
            "opening": it.balances.map(|it| cny(it.0)), "closing": it.balances.map(|it| cny(it.1)),
        })
    });
    json!({
        "channel": day.rail.to_string(), "day": day.day, "state": day.state.to_string(), "statement": taken,
        "open_differences": open, "detail": day.detail, "looked_at": day.looked_at, "closed_at": day.closed_at,
    })
}

fn difference(it: &Difference) -> Value {
    let found = &it.found;
    json!({
        "id": it.id, "channel": it.rail.to_string(), "day": it.day, "kind": found.kind.to_string(),
        "subject": found.subject, "leg_id": found.leg_id, "ours": found.ours.map(cny),
        "theirs": found.theirs.map(cny), "detail": found.detail, "found_at": it.found_at,
        "resolved_by": it.resolved.as_ref().map(|it| &it.0), "resolved_at": it.resolved.as_ref().map(|it| it.1),
        "resolution": it.resolved.as_ref().map(|it| &it.2),
    })
}

/// Statements are in the currency of their channels.
fn cny(amount: Money) -> String {
    amount.to_text(Currency::Cny)
}
