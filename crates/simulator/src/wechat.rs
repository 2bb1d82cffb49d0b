//! `WeChat Pay` API v3: domestic refunds, their query, the platform certificates.

mod authorization;
mod bill;
mod certificates;
mod notice;
mod refund;
mod sealed;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;

use crate::behaviour::Reply;
use crate::delivery::Outgoing;
use crate::json_text::Object;
use crate::options::Certificates;
use crate::world::{Shared, World};
use authorization::Incoming;
use bill::Bill;
pub(crate) use notice::letter;
use sealed::Seal;

pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/v3/refund/domestic/refunds", post(refund))
        .route("/v3/refund/domestic/refunds/{out_refund_no}", get(query))
        .route("/v3/certificates", get(platform_certificates))
        .route("/v3/bill/tradebill", get(trade_bill))
        .route("/v3/bill/fundflowbill", get(fund_flow_bill))
        .route("/v3/billdownload/file", get(bill_file))
}

/// A business answer: how it is to leave, its status and its body.
struct Answer {
    reply: Reply,
    status: StatusCode,
    body: String,
}

impl Answer {
    fn ok(body: String) -> Self {
        Self { reply: Reply::Truth, status: StatusCode::OK, body }
    }
}

/// An error of the documented list.
#[derive(Debug, Clone)]
struct Failure {
    status: u16,
    code: &'static str,
    message: String,
}

impl Failure {
    fn new(status: u16, code: &'static str, message: &str) -> Self {
        Self { status, code, message: message.to_owned() }
    }

    fn answer(&self) -> Answer {
        let body = Object::new().text("code", self.code).text("message", &self.message).finish();
        let status = StatusCode::from_u16(self.status).expect("the table holds HTTP statuses");
        Answer { reply: Reply::Truth, status, body }
    }
}

async fn refund(
    State(world): State<Shared>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let incoming = Incoming { method: &method, uri: &uri, headers: &headers, body: &body };
    respond(&world, &incoming, || refund::refund(&world, &incoming)).deliver(&world).await
}

async fn query(
    State(world): State<Shared>,
    Path(number): Path<String>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let incoming = Incoming { method: &method, uri: &uri, headers: &headers, body: &[] };
    respond(&world, &incoming, || refund::query(&world, &number)).deliver(&world).await
}

async fn platform_certificates(
    State(world): State<Shared>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let incoming = Incoming { method: &method, uri: &uri, headers: &headers, body: &[] };
    let certificates = || match world.switches.certificates {
        Certificates::HandedOut => Ok(Answer::ok(certificates::list(&world.keys))),
        Certificates::None => {
            Err(Failure::new(404, "RESOURCE_NOT_EXISTS", "无可用的平台证书，请使用微信支付公钥"))
        }
    };
    respond(&world, &incoming, certificates).deliver(&world).await
}

async fn trade_bill(
    State(world): State<Shared>,
    Query(asked): Query<bill::Asked>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let incoming = Incoming { method: &method, uri: &uri, headers: &headers, body: &[] };
    respond(&world, &incoming, || bill::apply(&world, Bill::Trade, &asked)).deliver(&world).await
}

async fn fund_flow_bill(
    State(world): State<Shared>,
    Query(asked): Query<bill::Asked>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let incoming = Incoming { method: &method, uri: &uri, headers: &headers, body: &[] };
    respond(&world, &incoming, || bill::apply(&world, Bill::FundFlow, &asked)).deliver(&world).await
}

/// The token of an address.
#[derive(Debug, Deserialize)]
struct Fetch {
    token: String,
}

/// A bill file: asked for under a signature, answered without one.
async fn bill_file(
    State(world): State<Shared>,
    Query(fetch): Query<Fetch>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let incoming = Incoming { method: &method, uri: &uri, headers: &headers, body: &[] };
    match incoming.verify(&world).and_then(|()| bill::fetch(&world, &fetch.token)) {
        Ok(file) => ([(header::CONTENT_TYPE, file.content_type)], file.bytes).into_response(),
        Err(failure) => {
            let answer = failure.answer();
            Seal::of(&world.keys, &headers).close(answer.status, answer.body)
        }
    }
}

/// Verifies the caller, asks the business, signs the answer.
fn respond(
    world: &World,
    incoming: &Incoming<'_>,
    business: impl FnOnce() -> Result<Answer, Failure>,
) -> Outgoing {
    let answer = if world.is_wechat_throttled() {
        Failure::new(429, "FREQUENCY_LIMITED", "频率超限").answer()
    } else {
        incoming.verify(world).and_then(|()| business()).unwrap_or_else(|failure| failure.answer())
    };
    if answer.status.is_client_error() {
        world.count_wechat_failure();
    }
    let mut seal = Seal::of(&world.keys, incoming.headers);
    seal.forged = answer.reply == Reply::BadSignature;
    Outgoing::of(&answer.reply, || seal.close(answer.status, answer.body))
}
