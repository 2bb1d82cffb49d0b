//! What an account could withdraw, and verification codes (R10).

use axum::body::Bytes;
use axum::extract::{Path, State as Extract};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use broker::contract::{Code, Identifier, MessageId, Problem};
use domain::{Currency, Money, Route};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use crate::State;
use crate::answer::Json;
use crate::body;
use crate::engine::CodeWish;
use crate::person::Person;
use crate::refusal::Refusal;

/// `GET /v1/accounts/{account_id}/quote`
pub(crate) async fn quote(Extract(state): Extract<State>, Path(id): Path<String>) -> Result<Json, Refusal> {
    let quote = state.desk()?.engine.quote(&id).await?;
    quote.map(Into::into).ok_or_else(|| {
        Refusal::new("unknown_account", StatusCode::NOT_FOUND, "no fact has ever named this account")
    })
}

/// For what a code is asked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ask {
    account_id: Identifier,
    amount: String,
    currency: String,
    route: String,
    request_id: MessageId,
}

/// `POST /v1/verification-codes`
pub(crate) async fn issue_code(
    Extract(state): Extract<State>,
    person: Person,
    body: Bytes,
) -> Result<Response, Refusal> {
    let ask: Ask = body::own(&body)?;
    let wrong = |pointer: &str, rule: &str| {
        Refusal::from(Problem::malformed(Code::InvalidValue, pointer, rule.to_owned()))
    };
    let currency: Currency =
        ask.currency.parse().map_err(|_| wrong("/currency", "is not a currency that is held here"))?;
    let route: Route = ask.route.parse().map_err(|_| wrong("/route", "must be source or bank_card"))?;
    let amount = Money::parse(&ask.amount, currency).map_err(|error| wrong("/amount", &error.to_string()))?;
    let deed = person.deed("issue_code", ask.account_id.as_str()).with(json!({
        "amount": ask.amount, "currency": ask.currency, "route": ask.route, "request_id": ask.request_id,
    }));
    let wish = CodeWish { account_id: ask.account_id, amount, currency, route, request_id: ask.request_id };
    let issued = state.desk()?.engine.issue_code(wish, deed).await?;
    let body = json!({ "code_id": issued.id, "expires_at": issued.expires_at, "code": issued.code });
    Ok((StatusCode::CREATED, Json::from(body)).into_response())
}

/// A code as a customer entered it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entered {
    code: String,
}

/// `POST /v1/verification-codes/{id}/confirm`
pub(crate) async fn confirm_code(
    Extract(state): Extract<State>,
    person: Person,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json, Refusal> {
    let id: Uuid = id.parse().map_err(|_| {
        Refusal::new("unknown_code", StatusCode::NOT_FOUND, "there is no verification code of this number")
    })?;
    let Entered { code } = body::own(&body)?;
    let deed = person.deed("confirm_code", id.to_string());
    let token = state.desk()?.engine.confirm_code(id, code, deed).await?;
    Ok(json!({ "token": token }).into())
}
