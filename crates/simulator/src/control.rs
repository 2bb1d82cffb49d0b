//! The control interface under `/_sim/`, for people, scripts and tests.

use std::sync::{Arc, PoisonError};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;

use crate::book::{BookReport, Entry, Trade};
use crate::clock::{SimClock, parse_rfc3339, rfc3339};
use crate::delivery;
use crate::options::Callbacks;
use crate::scenario::{Play, Scenario, ScenarioError, Verdict};
use crate::world::{Shared, World};

pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/_sim/trades", post(add_trades).get(list_trades))
        .route("/_sim/book", get(book))
        .route("/_sim/clock", get(show_clock).post(set_clock))
        .route("/_sim/requests", get(requests))
        .route("/_sim/verdict", get(verdict))
        .route("/_sim/scenario", get(show_scenario).post(set_scenario).delete(end_scenario))
        .route("/_sim/callbacks", post(change_callbacks))
}

async fn add_trades(State(world): State<Shared>, body: String) -> Response {
    let is_list = body.trim_start().starts_with('[');
    let read =
        if is_list { serde_json::from_str(&body) } else { serde_json::from_str(&body).map(|it| vec![it]) };
    let trades: Vec<Trade> = match read {
        Ok(trades) => trades,
        Err(error) => {
            return problem(
                StatusCode::BAD_REQUEST,
                &format!("expected a trade or a list of trades: {error}"),
            );
        }
    };
    let count = trades.len();
    match register(&world, trades) {
        Ok(()) => (StatusCode::CREATED, Json(json!({ "registered": count }))).into_response(),
        Err(reason) => problem(StatusCode::CONFLICT, &reason),
    }
}

/// Adds trades to the book. The same trade again changes nothing.
///
/// # Errors
/// What is wrong with the first trade that cannot be registered; the ones before
/// it are registered.
pub(crate) fn register(world: &World, trades: Vec<Trade>) -> Result<(), String> {
    let now_ms = world.clock.now_ms();
    world.book.enter(now_ms, |ledger| {
        for mut trade in trades {
            let paid_at = trade.paid_at.get_or_insert_with(|| rfc3339(now_ms));
            if parse_rfc3339(paid_at).is_none() {
                return Err(format!("{}: paid_at is not RFC 3339", trade.trade_no));
            }
            if trade.trade_no.is_empty() || trade.total_fen <= 0 {
                return Err(format!("{}: a number and a positive total are needed", trade.trade_no));
            }
            match ledger.trade(trade.channel, [&trade.trade_no, ""]) {
                None => ledger.record(&Entry::Trade(trade)),
                Some(known)
                    if known.trade.total_fen == trade.total_fen
                        && known.trade.out_trade_no == trade.out_trade_no => {}
                Some(_) => return Err(format!("{} is registered otherwise", trade.trade_no)),
            }
        }
        Ok(())
    })
}

async fn list_trades(State(world): State<Shared>) -> Response {
    let trades = world.book.enter(world.clock.now_ms(), |ledger| {
        let trades = ledger.accounts().iter().map(|account| {
            json!({
                "channel": account.trade.channel,
                "trade_no": account.trade.trade_no,
                "out_trade_no": account.trade.out_trade_no,
                "total_fen": account.trade.total_fen,
                "refunded_fen": account.refunded_fen,
                "paid_at": account.trade.paid_at,
            })
        });
        trades.collect::<Vec<_>>()
    });
    Json(trades).into_response()
}

async fn book(State(world): State<Shared>) -> Json<BookReport> {
    Json(world.book.enter(world.clock.now_ms(), |ledger| BookReport::of(ledger)))
}

async fn show_clock(State(world): State<Shared>) -> Response {
    let now_ms = world.clock.now_ms();
    let kind = match world.clock {
        SimClock::Real => "real",
        SimClock::Manual(_) => "manual",
    };
    Json(json!({ "now": rfc3339(now_ms), "unix_ms": now_ms, "kind": kind })).into_response()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetClock {
    now: Option<String>,
    advance_ms: Option<i64>,
}

async fn set_clock(State(world): State<Shared>, body: String) -> Response {
    let target =
        serde_json::from_str::<SetClock>(&body).ok().and_then(|ask| match (ask.now, ask.advance_ms) {
            (Some(now), None) => parse_rfc3339(&now),
            (None, Some(advance_ms)) => world.clock.now_ms().checked_add(advance_ms),
            _ => None,
        });
    let Some(unix_ms) = target else {
        return problem(StatusCode::BAD_REQUEST, "expected {\"now\": RFC 3339} or {\"advance_ms\": n}");
    };
    match world.clock.set_ms(unix_ms) {
        Ok(()) => show_clock(State(world)).await,
        Err(error) => problem(StatusCode::CONFLICT, &error.to_string()),
    }
}

async fn requests(State(world): State<Shared>) -> Response {
    let (seen, newest) = world.requests.newest();
    Json(json!({ "seen": seen, "notices_waiting": world.postman.waiting(), "newest": newest }))
        .into_response()
}

/// Whether the money is right and the scenario's expectations are met.
async fn verdict(State(world): State<Shared>) -> Json<Verdict> {
    Json(judge(&world))
}

pub(crate) fn judge(world: &World) -> Verdict {
    let play = world.play();
    world.book.enter(world.clock.now_ms(), |ledger| Verdict::over(ledger, play.as_deref()))
}

async fn set_scenario(State(world): State<Shared>, body: String) -> Response {
    match load(&world, &body) {
        Ok(()) => show_scenario(State(world)).await,
        Err(error) => delivery::text(StatusCode::BAD_REQUEST, "text/plain; charset=utf-8", error.to_string()),
    }
}

/// Plays a scenario from now on; it may set a manual clock.
///
/// # Errors
/// [`ScenarioError`] with the line, the column and a caret.
pub(crate) fn load(world: &World, toml: &str) -> Result<(), ScenarioError> {
    let scenario = Scenario::parse(toml)?;
    if let Some(clock) = scenario.clock {
        world.clock.set_ms(clock.0).map_err(|error| ScenarioError::clock(&error))?;
    }
    let play = Play::new(scenario, world.clock.now_ms());
    *world.play.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(play));
    Ok(())
}

async fn show_scenario(State(world): State<Shared>) -> Response {
    let name = world.play().map(|play| play.name().to_owned());
    Json(json!({ "name": name, "now": rfc3339(world.clock.now_ms()) })).into_response()
}

async fn end_scenario(State(world): State<Shared>) -> StatusCode {
    *world.play.write().unwrap_or_else(PoisonError::into_inner) = None;
    StatusCode::NO_CONTENT
}

pub(crate) fn set_callbacks(world: &World, callbacks: Callbacks) {
    *world.callbacks.write().unwrap_or_else(PoisonError::into_inner) = callbacks;
}

async fn change_callbacks(State(world): State<Shared>, body: String) -> Response {
    match serde_json::from_str(&body) {
        Ok(callbacks) => {
            set_callbacks(&world, callbacks);
            Json(world.callbacks()).into_response()
        }
        Err(error) => problem(StatusCode::BAD_REQUEST, &error.to_string()),
    }
}

/// An RFC 9457 problem.
pub(crate) fn problem(status: StatusCode, detail: &str) -> Response {
    let body = json!({ "title": status.canonical_reason(), "status": status.as_u16(), "detail": detail });
    crate::delivery::text(status, "application/problem+json", body.to_string())
}
