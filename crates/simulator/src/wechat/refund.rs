//! `POST /v3/refund/domestic/refunds` and its query.

use axum::http::StatusCode;
use serde::Deserialize;

use super::authorization::Incoming;
use super::sealed::{PUBLIC_KEY_MODE, Seal};
use super::{Answer, Failure};
use crate::behaviour::{Aftermath, Effect, Refusal, Reply};
use crate::book::{Account, Ledger, NewOrder, Order, State, order_key};
use crate::channel::Channel;
use crate::clock::{compact, rfc3339};
use crate::json_text::Object;
use crate::options::Limits;
use crate::scenario::Op;
use crate::world::{Call, World, place};

/// Refunds are possible for a year after the payment.
const WINDOW_MS: i64 = 365 * 24 * 3600 * 1000;
/// At most so many refunds of one order.
const REFUNDS_MAX: u32 = 50;

/// The members that matter here; others are accepted and ignored.
#[derive(Debug, Deserialize)]
struct Body {
    #[serde(default)]
    transaction_id: String,
    #[serde(default)]
    out_trade_no: String,
    out_refund_no: String,
    notify_url: Option<String>,
    amount: Amount,
}

#[derive(Debug, Deserialize)]
struct Amount {
    refund: i64,
    total: i64,
    currency: String,
}

/// Takes a refund on.
///
/// `out_refund_no` is unique per merchant: a repeat is answered with the same
/// refund, a changed repeat is refused.
pub(super) fn refund(world: &World, incoming: &Incoming<'_>) -> Result<Answer, Failure> {
    let public_key_mode = Seal::is_public_key_mode(&world.keys, incoming.headers);
    let body: Body = serde_json::from_slice(incoming.body)
        .map_err(|error| Failure::new(400, "PARAM_ERROR", &format!("参数错误：{error}")))?;
    check_body(&body)?;
    let now_ms = world.clock.now_ms();
    world.book.enter(now_ms, |ledger| {
        let account = ledger
            .trade(Channel::Wechat, [&body.transaction_id, &body.out_trade_no])
            .ok_or_else(|| Failure::new(404, "RESOURCE_NOT_EXISTS", "订单不存在"))?
            .clone();
        let key = order_key(Channel::Wechat, "", &body.out_refund_no);
        let (number, payee) = (&body.out_refund_no, &account.trade.trade_no);
        let call = Call { channel: Channel::Wechat, op: Op::Transfer, key: &key, number, payee };
        let behaviour = world.behaviour(ledger, &call);
        if behaviour.effect == Effect::Nothing {
            return Ok(answer(behaviour.reply, String::new()));
        }
        let known = ledger.order(&key).filter(|_| world.dedups(Channel::Wechat));
        if let Some(order) = known {
            let same = order.placed.amount_fen == body.amount.refund
                && order.placed.trade_no == account.trade.trade_no
                && body.amount.total == account.trade.total_fen;
            if !same {
                let text = "订单金额或退款金额与之前请求不一致，请核实后再试";
                return Err(Failure::new(400, "INVALID_REQUEST", text));
            }
        } else {
            if world.dedups(Channel::Wechat) {
                check(world, &account, &body)?;
            }
            match &behaviour.effect {
                Effect::Refuse(refusal) => return Err(refused(*refusal)),
                Effect::RefuseWith(code) => return Ok(coded(code)),
                _ => {}
            }
            let mut order = order(ledger, &account, &body, (key.clone(), now_ms));
            if public_key_mode {
                order.echo.insert(PUBLIC_KEY_MODE.to_owned(), String::new());
            }
            place(ledger, order, &behaviour);
        }
        let order = ledger.order(&key).expect("the order was found or placed above");
        Ok(answer(behaviour.reply, object(order, &account)))
    })
}

/// Tells what became of a refund.
pub(super) fn query(world: &World, number: &str) -> Result<Answer, Failure> {
    world.book.enter(world.clock.now_ms(), |ledger| {
        let key = order_key(Channel::Wechat, "", number);
        let payee = ledger.order(&key).map_or_else(String::new, |order| order.placed.payee.clone());
        let call = Call { channel: Channel::Wechat, op: Op::Query, key: &key, number, payee: &payee };
        let reply = world.query_reply(ledger, &call);
        let order =
            ledger.order(&key).ok_or_else(|| Failure::new(404, "RESOURCE_NOT_EXISTS", "退款单不存在"))?;
        let account = ledger
            .trade(Channel::Wechat, [&order.placed.trade_no, ""])
            .expect("an order is only placed on a registered trade");
        Ok(answer(reply, object(order, account)))
    })
}

fn answer(reply: Reply, body: String) -> Answer {
    match &reply {
        Reply::Code(code) => coded(code),
        _ => Answer { reply, status: StatusCode::OK, body },
    }
}

/// An error by its code alone.
fn coded(code: &str) -> Answer {
    let body = Object::new().text("code", code).text("message", "").finish();
    Answer { reply: Reply::Truth, status: status_of(code), body }
}

/// The HTTP status under which a code of the documented list stands.
fn status_of(code: &str) -> StatusCode {
    match code {
        "SIGN_ERROR" => StatusCode::UNAUTHORIZED,
        "NOT_ENOUGH" | "USER_ACCOUNT_ABNORMAL" | "NO_AUTH" => StatusCode::FORBIDDEN,
        "RESOURCE_NOT_EXISTS" | "MCH_NOT_EXISTS" => StatusCode::NOT_FOUND,
        "FREQUENCY_LIMITED" => StatusCode::TOO_MANY_REQUESTS,
        "SYSTEM_ERROR" => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::BAD_REQUEST,
    }
}

fn check_body(body: &Body) -> Result<(), Failure> {
    let wrong = |text: &str| Err(Failure::new(400, "PARAM_ERROR", text));
    let number = &body.out_refund_no;
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_-|*@".contains(c);
    if number.is_empty() || number.len() > 64 || !number.chars().all(allowed) {
        return wrong("参数错误：out_refund_no");
    }
    if body.transaction_id.is_empty() && body.out_trade_no.is_empty() {
        return wrong("参数错误：transaction_id和out_trade_no不能同时为空");
    }
    if body.amount.refund <= 0 || body.amount.total <= 0 {
        return wrong("参数错误：amount");
    }
    if body.amount.currency != "CNY" {
        return wrong("参数错误：amount.currency");
    }
    Ok(())
}

fn check(world: &World, account: &Account, body: &Body) -> Result<(), Failure> {
    let invalid = |text: &str| Err(Failure::new(400, "INVALID_REQUEST", text));
    if body.amount.total != account.trade.total_fen {
        return invalid("订单总金额不一致，请核实后再试");
    }
    if account.committed_fen + body.amount.refund > account.trade.total_fen {
        return invalid("申请退款金额超过订单可退金额");
    }
    if world.clock.now_ms() - account.paid_ms > WINDOW_MS {
        return invalid("订单已经超过退款期限");
    }
    if world.switches.limits == Limits::Real && account.refunds >= REFUNDS_MAX {
        return invalid("订单部分退款次数超过限制");
    }
    Ok(())
}

fn refused(refusal: Refusal) -> Failure {
    match refusal {
        Refusal::NoSuchAccount => Failure::new(403, "USER_ACCOUNT_ABNORMAL", "用户账户已注销"),
        Refusal::NameMismatch => Failure::new(403, "USER_ACCOUNT_ABNORMAL", "用户账户异常"),
        Refusal::OverLimit => Failure::new(400, "INVALID_REQUEST", "退款金额超过限额"),
        Refusal::OurBalance => Failure::new(403, "NOT_ENOUGH", "基本账户余额不足，请充值后重新发起"),
        Refusal::WindowClosed => Failure::new(400, "INVALID_REQUEST", "订单已经超过退款期限"),
    }
}

fn order(ledger: &Ledger, account: &Account, body: &Body, key_at: (String, i64)) -> NewOrder {
    let (key, now_ms) = key_at;
    NewOrder {
        key,
        channel: Channel::Wechat,
        number: body.out_refund_no.clone(),
        trade_no: account.trade.trade_no.clone(),
        payee: account.trade.trade_no.clone(),
        amount_fen: body.amount.refund,
        reference: format!("503000{}{:010}", compact(now_ms), ledger.order_count() + 1),
        created_ms: now_ms,
        due_ms: None,
        aftermath: Aftermath::default(),
        refused: None,
        notify_url: body.notify_url.clone(),
        echo: std::collections::BTreeMap::new(),
    }
}

/// The refund object of both calls.
fn object(order: &Order, account: &Account) -> String {
    let placed = &order.placed;
    let (total, refund) = (account.trade.total_fen, placed.amount_fen);
    let (status, settled) = match &order.state {
        State::Pending => ("PROCESSING", false),
        State::Paid => ("SUCCESS", true),
        State::Returned(_) => ("ABNORMAL", false),
        State::Refused(..) => ("CLOSED", false),
    };
    let amount = Object::new()
        .number("total", total)
        .number("refund", refund)
        .number("payer_total", total)
        .number("payer_refund", refund)
        .number("settlement_refund", refund)
        .number("settlement_total", total)
        .number("discount_refund", 0)
        .text("currency", "CNY")
        .raw("from", "[]")
        .number("refund_fee", 0)
        .finish();
    let node = Object::new()
        .text("refund_id", &placed.reference)
        .text("out_refund_no", &placed.number)
        .text("transaction_id", &account.trade.trade_no)
        .text("out_trade_no", &account.trade.out_trade_no)
        .text("channel", "ORIGINAL")
        .text("user_received_account", "支付用户零钱");
    let node = if settled { node.text("success_time", &rfc3339(order.changed_ms)) } else { node };
    node.text("create_time", &rfc3339(placed.created_ms))
        .text("status", status)
        .text("funds_account", "AVAILABLE")
        .raw("amount", &amount)
        .raw("promotion_detail", "[]")
        .finish()
}
