//! Withdrawals, one and many, leg by leg (R13).
//!
//! One is the `data` of its newest status event, so that whoever polls and
//! whoever listens read the same. Account numbers are their last four characters.

use axum::extract::{Path, Query, State as Extract};
use axum::http::StatusCode;
use broker::contract::{Amount, EffectDigest, LegStatus, Problem, RequestRef, StatusChanged};
use domain::WithdrawalState;
use serde::Deserialize;
use serde_json::{Value, json};
use store::legs::{self, Leg};
use store::overview::{self, Filter};
use store::withdrawals::{self, Withdrawal};
use store::{audit, decisions, history};
use uuid::Uuid;

use crate::State;
use crate::answer::{self, Json};
use crate::refusal::Refusal;

/// Withdrawals of a page when nobody says how many, and at most.
const PAGE: i64 = 50;
const PAGE_MAX: i64 = 500;

/// Which withdrawals are wanted: `GET /v1/withdrawals?state=…&account_id=…`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// States, with commas between them.
    state: Option<String>,
    account_id: Option<String>,
    requester: Option<String>,
    /// A number, a request's id, an account or a payout number.
    q: Option<String>,
    /// The number behind which the page begins: `next` of the page before.
    cursor: Option<Uuid>,
    limit: Option<i64>,
}

/// How many items a page has.
pub(crate) fn limit(asked: Option<i64>) -> Result<i64, Refusal> {
    match asked {
        None => Ok(PAGE),
        Some(limit) if (1..=PAGE_MAX).contains(&limit) => Ok(limit),
        Some(_) => Err(wrong_parameter("limit", &format!("must be 1 to {PAGE_MAX}"))),
    }
}

/// That a parameter of an address is not right.
pub(crate) fn wrong_parameter(name: &str, rule: &str) -> Refusal {
    let detail = format!("the parameter {name} {rule}");
    Refusal::new("invalid_parameter", StatusCode::BAD_REQUEST, detail)
}

/// `GET /v1/withdrawals`
pub(crate) async fn list(
    Extract(state): Extract<State>,
    Query(wanted): Query<Wanted>,
) -> Result<Json, Refusal> {
    let words = wanted.state.iter().flat_map(|it| it.split(',')).filter(|it| !it.is_empty());
    let states: Result<Vec<WithdrawalState>, _> = words.map(str::parse).collect();
    let limit = limit(wanted.limit)?;
    let filter = Filter {
        states: states.map_err(|_| wrong_parameter("state", "holds a word that is no state"))?,
        account_id: wanted.account_id,
        requester: wanted.requester,
        text: wanted.q,
        before: wanted.cursor,
        limit,
    };
    let mut connection = state.database.pool().acquire().await.map_err(store::Error::from)?;
    let rows = overview::withdrawals(&mut connection, &filter).await?;
    Ok(answer::page(&rows.iter().map(short).collect::<Vec<_>>(), limit, |it| it["withdrawal_id"].clone()))
}

/// A withdrawal in a list. The names are those of the status events.
fn short(it: &Withdrawal) -> Value {
    json!({
        "withdrawal_id": it.id,
        "request": { "source": it.source, "id": it.request_id },
        "account_id": it.account_id,
        "amount": it.amount.to_text(it.currency),
        "currency": it.currency.to_string(),
        "route": it.route.to_string(),
        "state": it.state.to_string(),
        "sequence": it.sequence,
        "requester": it.requester,
        "reasons": it.reasons,
        "held_because": it.held_because,
        "effect_digest": it.effect_digest.as_deref().map(hex::encode),
        "requested_at": it.requested_at,
        "received_at": it.received_at,
        "approved_at": it.approved_at,
        "expected_by": it.deadline_at,
        "provisional": it.deadline_provisional,
        "expires_at": it.expires_at,
    })
}

/// `GET /v1/withdrawals/{id}`
pub(crate) async fn show(Extract(state): Extract<State>, Path(id): Path<String>) -> Result<Json, Refusal> {
    of(&state, number(&id)?).await
}

/// The number of a withdrawal, as it stands in an address.
pub(crate) fn number(text: &str) -> Result<Uuid, Refusal> {
    text.parse().map_err(|_| not_found())
}

/// That there is no such withdrawal.
pub(crate) fn not_found() -> Refusal {
    Refusal::new("no_such_withdrawal", StatusCode::NOT_FOUND, "there is no withdrawal of this number")
}

/// A withdrawal as its newest status event tells it.
pub(crate) async fn of(state: &State, id: Uuid) -> Result<Json, Refusal> {
    // One moment for both reads: the legs belong to the state.
    let mut tx = state.database.snapshot().await?;
    let withdrawal = withdrawals::find(&mut tx, id).await?.ok_or_else(not_found)?;
    let legs = legs::of_withdrawal(&mut tx, id).await?;
    let status = status(&withdrawal, &legs).ok_or_else(|| {
        store::Error::Unreadable(format!("the withdrawal {id} holds texts that the contract does not know"))
    })?;
    Ok(Json(serde_json::to_string(&status).expect("a status of texts and numbers serialises")))
}

/// `GET /v1/withdrawals/{id}/legs`: every generation of every leg, with the calls
/// that were made for it.
pub(crate) async fn legs(Extract(state): Extract<State>, Path(id): Path<String>) -> Result<Json, Refusal> {
    let id = number(&id)?;
    let mut tx = state.database.snapshot().await?;
    let withdrawal = withdrawals::find(&mut tx, id).await?.ok_or_else(not_found)?;
    let rows = legs::of_withdrawal(&mut tx, id).await?;
    let calls = calls(&mut tx, id).await?;
    let of = |leg: Uuid| -> Value {
        let all = calls.as_array().into_iter().flatten();
        all.filter(|it| it["leg_id"] == json!(leg)).cloned().collect()
    };
    let items = rows.iter().map(|it| {
        json!({
            "leg_id": it.id, "payout_no": it.payout_no, "rail": it.rail.to_string(),
            "amount": it.amount.to_text(withdrawal.currency), "state": it.state.to_string(),
            "top_up_id": it.top_up_upstream_id, "position": it.position, "generation": it.generation,
            "replaces": it.predecessor_id, "payee_last_four": it.payee_last_four,
            "dispatch_at": it.dispatch_at, "deadline_at": it.deadline_at, "paid_at": it.paid_at,
            "check_at": it.check_at, "doubted_at": it.doubted_at, "reference": it.reference,
            "code": it.code, "detail": it.detail, "attempts": of(it.id),
        })
    });
    Ok(json!({ "items": items.collect::<Value>(), "next": null }).into())
}

/// `GET /v1/withdrawals/{id}/history`: moves, decisions, calls to gateways,
/// money between buckets, notices and the audit.
pub(crate) async fn past(Extract(state): Extract<State>, Path(id): Path<String>) -> Result<Json, Refusal> {
    let id = number(&id)?;
    let mut tx = state.database.snapshot().await?;
    let withdrawal = withdrawals::find(&mut tx, id).await?.ok_or_else(not_found)?;
    let currency = withdrawal.currency;
    let moves = history::moves(&mut tx, id).await?.into_iter().map(|it| {
        json!({
            "leg_id": it.leg_id, "sequence": it.sequence, "from": it.from, "to": it.to,
            "event": it.event, "actor": it.actor, "note": it.note, "at": it.at,
        })
    });
    let decisions = decisions::of_withdrawal(&mut tx, id).await?.into_iter().map(|it| {
        json!({
            "decision": it.verdict.to_string(), "actor": it.actor, "reason": it.reason, "result": it.result,
            "effect_digest": it.effect_digest.as_deref().map(hex::encode),
        })
    });
    let transfers = history::transfers(&mut tx, id).await?.into_iter().map(|it| {
        json!({
            "leg_id": it.leg_id, "top_up_id": it.top_up, "from": it.from, "to": it.to,
            "amount": it.amount.to_text(currency), "cause": it.cause, "at": it.at,
        })
    });
    let notices = history::notices(&mut tx, id).await?.into_iter().map(|it| {
        json!({
            "leg_id": it.leg_id, "notice_id": it.notice_id, "claim": it.claim,
            "received_at": it.received_at, "effect": it.effect,
        })
    });
    let calls = calls(&mut tx, id).await?;
    let deeds = audit::page(&mut tx, Some(&id.to_string()), None, PAGE_MAX).await?;
    Ok(json!({
        "withdrawal_id": id,
        "moves": moves.collect::<Value>(),
        "decisions": decisions.collect::<Value>(),
        "calls": calls,
        "transfers": transfers.collect::<Value>(),
        "notices": notices.collect::<Value>(),
        "audit": deeds.iter().map(crate::audited::entry).collect::<Value>(),
    })
    .into())
}

async fn calls(tx: &mut store::Tx, id: Uuid) -> Result<Value, Refusal> {
    let calls = history::calls(tx, id).await?.into_iter().map(|it| {
        json!({
            "leg_id": it.leg_id, "payout_no": it.payout_no, "kind": it.kind, "number": it.number,
            "started_at": it.started_at, "outcome": it.outcome, "code": it.code, "detail": it.detail,
            "reference": it.reference, "finished_at": it.finished_at,
        })
    });
    Ok(calls.collect())
}

/// The rows in the words of the contract; `None` when they do not fit it.
fn status(withdrawal: &Withdrawal, legs: &[Leg]) -> Option<StatusChanged> {
    let digest = withdrawal.effect_digest.as_deref().map(hex::encode);
    let digest: Option<EffectDigest> = digest.map(|it| it.parse()).transpose().ok()?;
    let reasons: Vec<Problem> = serde_json::from_value(withdrawal.reasons.clone()).ok()?;
    Some(StatusChanged {
        withdrawal_id: withdrawal.id,
        request: RequestRef {
            source: withdrawal.source.parse().ok()?,
            id: withdrawal.request_id.parse().ok()?,
        },
        account_id: withdrawal.account_id.parse().ok()?,
        amount: Amount::new(withdrawal.amount, withdrawal.currency),
        currency: withdrawal.currency,
        route: withdrawal.route,
        state: withdrawal.state,
        previous_state: None,
        sequence: u64::try_from(withdrawal.sequence).ok()?,
        reasons,
        expected_by: withdrawal.deadline_at,
        provisional: withdrawal.deadline_provisional,
        expires_at: withdrawal.expires_at.filter(|_| withdrawal.state.waits_for_people()),
        effect_digest: digest,
        legs: legs.iter().map(|leg| leg_status(leg, withdrawal)).collect::<Option<_>>()?,
    })
}

fn leg_status(leg: &Leg, withdrawal: &Withdrawal) -> Option<LegStatus> {
    Some(LegStatus {
        leg_id: leg.id,
        payout_no: leg.payout_no.clone(),
        rail: leg.rail,
        amount: Amount::new(leg.amount, withdrawal.currency),
        state: leg.state,
        generation: u32::try_from(leg.generation).ok()?,
        replaces: leg.predecessor_id,
        code: leg.code.clone(),
        top_up_id: leg.top_up_upstream_id.parse().ok()?,
        payee_last_four: leg.payee_last_four.clone(),
        dispatch_at: leg.dispatch_at,
        deadline_at: leg.deadline_at,
    })
}
