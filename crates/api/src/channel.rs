//! Channels: what is under way on each, and the switches that stop them (S07).
//!
//! A stop works in every payout worker in less than a second, and keeps money
//! from leaving and nothing else: what is under way is still asked about.

use axum::body::Bytes;
use axum::extract::{Path, State as Extract};
use axum::http::StatusCode;
use chrono::TimeDelta;
use domain::{Circuit, Rail};
use serde_json::{Value, json};
use store::circuits;
use store::overview;
use store::stops::{self, ALL, Stop};
use store::{Database, audit};
use strum::IntoEnumIterator;

use crate::State;
use crate::answer::Json;
use crate::body::{self, Because};
use crate::person::Person;
use crate::refusal::Refusal;

/// How far back calls are counted.
const LOOK_BACK: TimeDelta = TimeDelta::hours(24);

/// `GET /v1/channels`
pub(crate) async fn list(Extract(state): Extract<State>) -> Result<Json, Refusal> {
    let since = state.desk()?.engine.now() - LOOK_BACK;
    let mut connection = state.database.pool().acquire().await.map_err(store::Error::from)?;
    let stops = stops::all(&mut connection).await?;
    let circuits = circuits::all(&mut connection).await?;
    let legs = overview::open_legs(&mut connection).await?;
    let calls = overview::calls(&mut connection, since).await?;
    let names = std::iter::once(ALL).chain(Rail::iter().map(<&str>::from));
    let items = names.map(|name| {
        let stop = stops.iter().find(|it| it.name == name);
        let legs = legs.iter().filter(|it| <&str>::from(it.rail) == name);
        let calls = calls.iter().filter(|it| <&str>::from(it.rail) == name);
        json!({
            "channel": name, "stopped": stop.is_some(),
            "reason": stop.map(|it| &it.reason), "by": stop.map(|it| &it.thrown_by),
            "since": stop.map(|it| it.thrown_at),
            "circuit": circuits.iter().find(|it| <&str>::from(it.0) == name).map(|(_, it)| circuit(&it.circuit)),
            "legs": legs.map(|it| json!({
                "state": it.state.to_string(), "number": it.number, "first_deadline": it.first_deadline,
            })).collect::<Value>(),
            "calls_of_24_hours": calls.map(|it| json!({
                "kind": it.kind, "outcome": it.outcome, "code": it.code, "number": it.number,
                "mean_ms": it.mean_ms,
            })).collect::<Value>(),
        })
    });
    Ok(json!({ "items": items.collect::<Value>(), "next": null }).into())
}

/// Whether a channel is used, or left in peace because it kept failing.
fn circuit(it: &Circuit) -> Value {
    json!({
        "state": it.state.to_string(), "cause": it.cause, "since": it.opened_at, "next_try": it.probe_at,
        "failures": it.failures,
    })
}

/// `POST /v1/channels/{channel}/pause`
pub(crate) async fn pause(
    Extract(state): Extract<State>,
    person: Person,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<Json, Refusal> {
    let reason = body::own::<Because>(&body)?.checked()?;
    turn(&state, &person, (&name, true), &reason).await?;
    list(Extract(state)).await
}

/// `POST /v1/channels/{channel}/resume`
pub(crate) async fn resume(
    Extract(state): Extract<State>,
    person: Person,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<Json, Refusal> {
    let reason = body::own::<Because>(&body)?.checked()?;
    turn(&state, &person, (&name, false), &reason).await?;
    list(Extract(state)).await
}

/// Throws or lifts a switch in a task of its own: a caller that hangs up must not
/// end a transaction half-way.
pub(crate) async fn turn(
    state: &State,
    person: &Person,
    (name, stops): (&str, bool),
    reason: &str,
) -> Result<(), Refusal> {
    if name != ALL && name.parse::<Rail>().is_err() {
        return Err(Refusal::new("no_such_channel", StatusCode::NOT_FOUND, "there is no such channel"));
    }
    let at = state.desk()?.engine.now();
    let action = if stops { "pause" } else { "resume" };
    let deed = person.deed(action, name).with(json!({ "reason": reason }));
    let stop = Stop {
        name: name.to_owned(),
        reason: reason.to_owned(),
        thrown_by: person.name.clone(),
        thrown_at: at,
    };
    let turned = tokio::spawn(write(state.database.clone(), stop, deed)).await;
    let done = turned.map_err(|_| store::Error::Stale { what: "a switch" })??;
    if done {
        return Ok(());
    }
    Err(if stops {
        let detail = "the channel is stopped already; the first reason stands";
        Refusal::new("already_paused", StatusCode::CONFLICT, detail)
    } else {
        let detail = "the channel is not stopped, and its circuit is closed";
        Refusal::new("not_paused", StatusCode::CONFLICT, detail)
    })
}

async fn write(database: Database, stop: Stop, deed: audit::Deed) -> Result<bool, store::Error> {
    let at = stop.thrown_at;
    let mut tx = database.begin().await?;
    let done = if deed.action == "pause" {
        stops::throw(&mut tx, &stop).await?
    } else {
        let lifted = stops::lift(&mut tx, &stop.name, (&stop.reason, &stop.thrown_by), at).await?;
        circuits::close(&mut tx, &stop.name, at).await? || lifted
    };
    if done {
        audit::put(&mut tx, &deed, at).await?;
        tx.commit().await?;
    }
    Ok(done)
}
