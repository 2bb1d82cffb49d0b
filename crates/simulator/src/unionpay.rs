//! `UnionPay` ACP 5.1.0: back-office transactions and their query.

mod file;
mod form;
mod notice;
mod query;
mod refund;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::post;

use crate::behaviour::Reply;
use crate::delivery::{self, Outgoing};
use crate::world::{Shared, World};
use form::{Form, Pairs};
pub(crate) use notice::letter;

pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/gateway/api/backTransReq.do", post(back_transaction))
        .route("/gateway/api/queryTrans.do", post(query_transaction))
        // The file host answers under its root; here it shares an address.
        .route("/", post(file_transfer))
        .route("/filetransfer", post(file_transfer))
        .route("/filetransfer/", post(file_transfer))
}

/// A response code with its text, which ends in seven digits of detail.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Code {
    code: String,
    text: String,
}

impl Code {
    fn new(code: &str, text: &str) -> Self {
        Self { code: code.to_owned(), text: format!("{text}[{code:0>7}]") }
    }

    fn ok() -> Self {
        Self::new("00", "成功")
    }

    /// The two fields of an answer, under these names.
    fn push(&self, pairs: &mut Pairs, [code, text]: [&'static str; 2]) {
        pairs.push((code, self.code.clone()));
        pairs.push((text, self.text.clone()));
    }
}

/// What a call found: the fields that are added to the echoed ones or replace
/// them, and the code.
struct Answer {
    reply: Reply,
    fields: Pairs,
    code: Code,
}

impl From<Code> for Answer {
    fn from(code: Code) -> Self {
        Self { reply: Reply::Truth, fields: Vec::new(), code }
    }
}

async fn back_transaction(State(world): State<Shared>, body: Bytes) -> Response {
    respond(&world, &body, |form| match form.get("txnType") {
        "04" => refund::refund(&world, form),
        _ => Err(Code::new("10", "报文格式错误")),
    })
    .deliver(&world)
    .await
}

async fn query_transaction(State(world): State<Shared>, body: Bytes) -> Response {
    respond(&world, &body, |form| query::query(&world, form)).deliver(&world).await
}

async fn file_transfer(State(world): State<Shared>, body: Bytes) -> Response {
    respond(&world, &body, |form| match form.get("txnType") {
        "76" => file::transfer(&world, form),
        _ => Err(Code::new("10", "报文格式错误")),
    })
    .deliver(&world)
    .await
}

/// Verifies the caller, asks the business, signs the answer.
fn respond(world: &World, body: &[u8], business: impl FnOnce(&Form) -> Result<Answer, Code>) -> Outgoing {
    let form = Form::parse(body);
    let answer = form.verify(&world.keys).and_then(|()| business(&form)).unwrap_or_else(Answer::from);
    Outgoing::of(&answer.reply, || {
        let mut pairs = form.echo();
        for (name, value) in answer.fields {
            match pairs.iter_mut().find(|(known, _)| *known == name) {
                Some(pair) => pair.1 = value,
                None => pairs.push((name, value)),
            }
        }
        let code = match &answer.reply {
            Reply::Code(code) => Code::new(code, ""),
            _ => answer.code,
        };
        code.push(&mut pairs, ["respCode", "respMsg"]);
        let forged = answer.reply == Reply::BadSignature;
        let body = if forged { form::forge(&world.keys, pairs) } else { form::seal(&world.keys, pairs) };
        delivery::text(StatusCode::OK, "text/html;charset=UTF-8", body)
    })
}
