//! Alipay Open Platform: `/gateway.do`, every call and every error as HTTP 200, and
//! the REST flavour of the same calls.

mod bill;
mod envelope;
mod failure;
mod notice;
mod query;
mod refund;
mod rest;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use serde_json::Value;

use crate::behaviour::Reply;
use crate::delivery::{self, Outgoing};
use crate::world::{Shared, World};
use envelope::{Params, Seal};
use failure::Failure;
pub(crate) use notice::letter;

pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/gateway.do", get(gateway).post(gateway))
        .route("/_alipay_bill/downloadBillFile.resource", get(bill::download))
        .merge(rest::routes())
}

/// A business answer: how it is to leave, and the node's text.
struct Answer {
    reply: Reply,
    node: String,
}

impl Answer {
    fn plain(node: String) -> Self {
        Self { reply: Reply::Truth, node }
    }
}

async fn gateway(State(world): State<Shared>, RawQuery(query): RawQuery, body: Bytes) -> Response {
    let params = Params::merge(query.as_deref().unwrap_or_default(), &body);
    respond(&world, &params).deliver(&world).await
}

fn respond(world: &World, params: &Params) -> Outgoing {
    let name = params.node_name();
    match envelope::check(&world.keys, params) {
        Err(failure) if failure.unsigned => send(&Reply::Truth, envelope::unsigned(&name, &failure.node())),
        Err(failure) => send(&Reply::Truth, Seal::of(world, params).close(&name, &failure.node())),
        Ok(()) => {
            let answer = business(world, params);
            if answer.node.is_empty() && !matches!(answer.reply, Reply::Code(_)) {
                return Outgoing::of(&answer.reply, || Response::new("".into()));
            }
            let node = match &answer.reply {
                Reply::Code(code) => Failure::coded(code).node(),
                _ => answer.node,
            };
            let mut seal = Seal::of(world, params);
            seal.forged = answer.reply == Reply::BadSignature;
            send(&answer.reply, seal.close(&name, &node))
        }
    }
}

fn send(reply: &Reply, body: String) -> Outgoing {
    Outgoing::of(reply, || delivery::text(StatusCode::OK, "text/html;charset=utf-8", body))
}

fn business(world: &World, params: &Params) -> Answer {
    let Ok(biz) = serde_json::from_str::<Value>(params.get("biz_content").unwrap_or("{}")) else {
        return Answer::plain(Failure::business("INVALID_PARAMETER", "参数无效").node());
    };
    let done = match params.get("method").unwrap_or_default() {
        "alipay.trade.refund" => refund::refund(world, &biz),
        "alipay.trade.fastpay.refund.query" => query::query(world, &biz),
        "alipay.data.dataservice.bill.downloadurl.query" => bill::address(world, &biz),
        "alipay.open.app.alipaycert.download" => Ok(Answer::plain(envelope::certificate(world))),
        _ => Err(Failure::new("40002", "isv.invalid-method", "不存在的方法名")),
    };
    done.unwrap_or_else(|failure| Answer::plain(failure.node()))
}

/// A text member of the business content; numbers are read as their text.
fn member(biz: &Value, name: &str) -> String {
    match biz.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

/// Whether `query_options` asks for `option`.
fn wants(biz: &Value, option: &str) -> bool {
    biz.get("query_options")
        .and_then(Value::as_array)
        .is_some_and(|options| options.iter().any(|asked| asked == option))
}
