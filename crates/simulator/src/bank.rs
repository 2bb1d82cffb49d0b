//! The bank: ISO 20022 messages over a small HTTP envelope.
//!
//! ISO 20022 defines no transport. Here a message is the body of a POST, signed
//! as a whole in `X-Signature`; in production the same XML goes over EBICS or the
//! bank's own interface.

mod camt053;
mod camt054;
mod entry;
mod orders;
mod pain001;
mod pain002;
mod schema;
mod xml;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use chrono::NaiveDate;
use serde::Deserialize;

use crate::behaviour::Reply;
use crate::book::order_key;
use crate::channel::Channel;
use crate::control::problem;
use crate::delivery::{self, Outgoing};
use crate::scenario::Op;
use crate::signature::sha256_hex;
use crate::statement::{Availability, availability};
use crate::world::{Call, Shared, World};
pub(crate) use camt054::letter;
use orders::Accepted;

pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/bank/pain001", post(submit))
        .route("/bank/status", get(status))
        .route("/bank/camt053", get(statement))
}

async fn submit(State(world): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let signature = headers.get("x-signature").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !world.keys.bank.corporate.accepts(&body, signature) {
        return problem(StatusCode::UNAUTHORIZED, "X-Signature is not the corporate key's over the body");
    }
    take(&world, &body).deliver(&world).await
}

/// Takes a verified message on and builds its report.
fn take(world: &World, body: &[u8]) -> Outgoing {
    let now_ms = world.clock.now_ms();
    let message = match pain001::read(body) {
        Ok(message) => message,
        Err(fault) => {
            let report = pain002::group_refusal(&fault.msg_id, ("FF01", &fault.text), now_ms);
            return Outgoing::Send(signed(world, StatusCode::BAD_REQUEST, report, &Reply::Truth));
        }
    };
    let accepted =
        world.book.enter(now_ms, |ledger| orders::accept(world, ledger, &message, &sha256_hex(body)));
    match accepted {
        Accepted::Conflict => {
            let text = "Duplicate MsgId with different content";
            let report = pain002::group_refusal(&message.msg_id, ("AM05", text), now_ms);
            Outgoing::Send(signed(world, StatusCode::OK, report, &Reply::Truth))
        }
        Accepted::Nothing(reply) => {
            let code = if let Reply::Code(code) = &reply { code } else { "MS03" };
            let report = pain002::group_refusal(&message.msg_id, (code, ""), now_ms);
            Outgoing::of(&reply, || signed(world, StatusCode::OK, report, &reply))
        }
        Accepted::Report(reply, mut report) => {
            if let Reply::Code(code) = &reply {
                report = pain002::group_refusal(&message.msg_id, (code, ""), now_ms);
            }
            Outgoing::of(&reply, || signed(world, StatusCode::OK, report, &reply))
        }
    }
}

#[derive(Debug, Deserialize)]
struct Asked {
    #[serde(rename = "msgId")]
    msg_id: Option<String>,
    #[serde(rename = "endToEndId")]
    end_to_end_id: Option<String>,
}

/// The newest report on a message, found by its own or a transfer's number.
///
/// Unknown numbers are answered with HTTP 404 and a signed report that carries
/// no status, only the reason `NARR`: never received is not refused.
async fn status(State(world): State<Shared>, Query(asked): Query<Asked>) -> Response {
    let now_ms = world.clock.now_ms();
    let (found, reply) = world.book.enter(now_ms, |ledger| {
        let message = match (&asked.msg_id, &asked.end_to_end_id) {
            (Some(msg_id), _) => ledger.message(msg_id),
            (None, Some(end_to_end_id)) => ledger.message_with(end_to_end_id),
            (None, None) => None,
        };
        let report = message.map(|message| pain002::report(ledger, message));
        let number = asked.end_to_end_id.as_deref().unwrap_or_default();
        let key = order_key(Channel::Bank, "", number);
        let payee = ledger.order(&key).map_or_else(String::new, |order| order.placed.payee.clone());
        let call = Call { channel: Channel::Bank, op: Op::Query, key: &key, number, payee: &payee };
        (report, world.query_reply(ledger, &call))
    });
    let (status, report) = found.map_or_else(
        || {
            let msg_id = asked.msg_id.as_deref().unwrap_or("NOTPROVIDED");
            (StatusCode::NOT_FOUND, pain002::not_found(msg_id, now_ms))
        },
        |report| (StatusCode::OK, report),
    );
    Outgoing::of(&reply, || signed(&world, status, report, &reply)).deliver(&world).await
}

/// The day of a statement.
#[derive(Debug, Deserialize)]
struct Day {
    date: NaiveDate,
}

/// The statement of a day.
async fn statement(State(world): State<Shared>, Query(day): Query<Day>) -> Response {
    if availability(&world, day.date) != Availability::Ready {
        return problem(StatusCode::NOT_FOUND, "there is no statement of that day");
    }
    let account = &world.keys.settings.bank.debtor_iban_like;
    let xml = world.book.enter(world.clock.now_ms(), |ledger| camt053::statement(ledger, account, day.date));
    signed(&world, StatusCode::OK, xml, &Reply::Truth)
}

fn signed(world: &World, status: StatusCode, xml: String, reply: &Reply) -> Response {
    let forged = *reply == Reply::BadSignature;
    let signature = world.keys.bank.bank.sign(if forged { b"forged" } else { xml.as_bytes() });
    let mut response = delivery::text(status, "application/xml; charset=utf-8", xml);
    let value = HeaderValue::from_str(&signature).expect("base64 is ASCII");
    response.headers_mut().insert("X-Signature", value);
    response
}
