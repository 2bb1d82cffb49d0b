//! Requests and what people say about them: create, decide, take back, give details.
//!
//! The actor is whoever holds the token, whatever the body says. Nothing is
//! decided here: a request goes through the intake's code and everything else
//! through that of the decisions, in one transaction with its audit row.

use axum::body::Bytes;
use axum::extract::{Path, State as Extract};
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use broker::contract::{
    Envelope, Instruction, LegResolved, TRACEPARENT, TraceParent, WithdrawalDecided, WithdrawalDetails,
    WithdrawalRequested, parse_instruction, parse_request,
};
use serde_json::{Value, json};
use store::withdrawals;
use uuid::Uuid;

use crate::State;
use crate::body::{self, Cover, Own};
use crate::engine::Requested;
use crate::person::Person;
use crate::refusal::Refusal;
use crate::withdrawal;

/// Under which source the messages of a person are known.
pub(crate) fn source_of(person: &Person) -> String {
    format!("/outflow/http/{}", person.name)
}

/// `POST /v1/withdrawals`
pub(crate) async fn create(
    Extract(state): Extract<State>,
    person: Person,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let key = body::key(&headers)?.ok_or_else(|| {
        let detail =
            "the header Idempotency-Key is missing; choose one per withdrawal and keep it for every try";
        Refusal::new("missing_idempotency_key", StatusCode::BAD_REQUEST, detail)
    })?;
    let name = (key, trace(&headers));
    let Made { message, first } = request(&state, &person, name.clone(), &body).await?;
    let mut asked = ask(&state, &person, message).await;
    if first && matches!(&asked, Err(refusal) if refusal.is("conflict")) {
        // Another one came at this very moment, with its own moment filled in.
        let Made { message, .. } = request(&state, &person, name, &body).await?;
        asked = ask(&state, &person, message).await;
    }
    let Requested { withdrawal, repeated } = asked?;
    if withdrawal.state == domain::WithdrawalState::Rejected {
        let reasons = serde_json::from_value(withdrawal.reasons.clone()).unwrap_or_default();
        return Err(Refusal::of_reasons(reasons).kept_by(withdrawal.id));
    }
    let status = if repeated { StatusCode::OK } else { StatusCode::CREATED };
    let place = [(LOCATION, format!("/v1/withdrawals/{}", withdrawal.id))];
    Ok((status, place, withdrawal::of(&state, withdrawal.id).await?).into_response())
}

async fn ask(
    state: &State,
    person: &Person,
    message: Envelope<WithdrawalRequested>,
) -> Result<Requested, Refusal> {
    let deed = person.deed("request", message.id.as_str());
    Ok(state.desk()?.engine.request(message, deed).await?)
}

/// The message of a request.
pub(crate) struct Made {
    pub(crate) message: Envelope<WithdrawalRequested>,
    /// Whether no other was known under its key when it was made.
    pub(crate) first: bool,
}

/// The message of a request that `person` makes with `body`. Where it does not say
/// when it was asked, it was asked now, and a repeat when the first one was.
pub(crate) async fn request(
    state: &State,
    person: &Person,
    (key, traceparent): (String, Option<String>),
    body: &[u8],
) -> Result<Made, Refusal> {
    let (time, source) = (state.desk()?.engine.now(), source_of(person));
    let known = {
        let mut connection = state.database.pool().acquire().await.map_err(store::Error::from)?;
        withdrawals::known_requests(&mut connection, &[&source], &[&key]).await?
    };
    let asked_at = known.first().map_or(time, |it| it.requested_at);
    let cover = Cover { kind: WithdrawalRequested::KIND, source, id: key, time, traceparent };
    let own = [Own::Fixed("requester", json!(person.name)), Own::Usual("requested_at", json!(asked_at))];
    let message = parse_request(&body::message(body, &cover, &own)?).map_err(Refusal::from)?;
    Ok(Made { message, first: known.is_empty() })
}

/// `POST /v1/withdrawals/{id}/decisions`
pub(crate) async fn decide(
    Extract(state): Extract<State>,
    person: Person,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let said: Value = serde_json::from_slice(&body).unwrap_or_default();
    let word = said["decision"].as_str().unwrap_or_default().to_owned();
    if word == "approve" && said.get("effect_digest").is_none() {
        let detail = "is missing; an approval names the effect that was seen, as the withdrawal shows it";
        let missing = broker::contract::Problem::malformed(
            broker::contract::Code::MissingField,
            "/data/effect_digest",
            detail,
        );
        return Err(missing.by_rule("S01").into());
    }
    let wish = Wish { kind: WithdrawalDecided::KIND, action: &word, id: withdrawal::number(&id)? };
    instruct(&state, &person, (wish, &headers), &body).await
}

/// `POST /v1/withdrawals/{id}/cancel`
pub(crate) async fn cancel(
    Extract(state): Extract<State>,
    person: Person,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let body::Because { reason } = body::own(&body)?;
    let wish = Wish { kind: WithdrawalDecided::KIND, action: "cancel", id: withdrawal::number(&id)? };
    let body = json!({ "decision": "cancel", "reason": reason }).to_string();
    instruct(&state, &person, (wish, &headers), body.as_bytes()).await
}

/// `POST /v1/withdrawals/{id}/details`
pub(crate) async fn details(
    Extract(state): Extract<State>,
    person: Person,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let wish = Wish { kind: WithdrawalDetails::KIND, action: "details", id: withdrawal::number(&id)? };
    instruct(&state, &person, (wish, &headers), &body).await
}

/// `POST /v1/withdrawals/{id}/resolutions`
pub(crate) async fn resolve(
    Extract(state): Extract<State>,
    person: Person,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let wish = Wish { kind: LegResolved::KIND, action: "resolve", id: withdrawal::number(&id)? };
    instruct(&state, &person, (wish, &headers), &body).await
}

/// What somebody wants of a withdrawal.
pub(crate) struct Wish<'a> {
    /// The type of the message that says so.
    pub(crate) kind: &'static str,
    /// The word for the audit.
    pub(crate) action: &'a str,
    /// The withdrawal.
    pub(crate) id: Uuid,
}

async fn instruct(
    state: &State,
    person: &Person,
    (wish, headers): (Wish<'_>, &HeaderMap),
    body: &[u8],
) -> Result<Response, Refusal> {
    let key = body::key(headers)?.unwrap_or_else(|| Uuid::now_v7().to_string());
    let id = wish.id;
    say(state, person, (wish, (key, trace(headers))), body).await?;
    Ok(withdrawal::of(state, id).await?.into_response())
}

/// Says something about a withdrawal in the name of `person`.
pub(crate) async fn say(
    state: &State,
    person: &Person,
    (wish, (key, traceparent)): (Wish<'_>, (String, Option<String>)),
    body: &[u8],
) -> Result<(), Refusal> {
    let engine = &state.desk()?.engine;
    let cover =
        Cover { kind: wish.kind, source: source_of(person), id: key, time: engine.now(), traceparent };
    let own = [Own::Fixed("withdrawal_id", json!(wish.id)), Own::Fixed("actor", json!(person.name))];
    let message = parse_instruction(&body::message(body, &cover, &own)?).map_err(Refusal::from)?;
    let reason = match &message.data {
        Instruction::Decided(it) => json!({ "reason": it.reason, "effect_digest": it.effect_digest }),
        Instruction::Details(it) => json!({ "expected_version": it.expected_version }),
        Instruction::Resolved(it) => {
            json!({ "leg_id": it.leg_id, "outcome": it.outcome, "evidence": it.evidence })
        }
    };
    let deed = person.deed(wish.action, wish.id.to_string()).with(reason);
    engine.instruct(message, deed).await?;
    Ok(())
}

/// The W3C trace of a call, where it has one that can be read.
fn trace(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(TRACEPARENT)?.to_str().ok()?;
    value.parse::<TraceParent>().ok().map(|it| it.to_string())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderMap;

    use super::{TRACEPARENT, trace};

    #[test]
    fn a_trace_that_cannot_be_read_is_none() {
        let of = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(TRACEPARENT, value.parse().expect("a header's value"));
            trace(&headers)
        };
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(of(good).as_deref(), Some(good));
        assert_eq!(of("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01"), None);
        assert_eq!(of("hello"), None);
        assert_eq!(trace(&HeaderMap::new()), None);
    }
}
