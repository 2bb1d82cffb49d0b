//! `alipay.trade.refund`.

use chrono::Months;
use serde_json::Value;

use super::failure::Failure;
use super::{Answer, member, wants};
use crate::behaviour::{Aftermath, Effect, Refusal};
use crate::book::{Account, Ledger, NewOrder, State, order_key};
use crate::channel::Channel;
use crate::clock::beijing;
use crate::json_text::Object;
use crate::money::{fen, yuan};
use crate::options::Limits;
use crate::scenario::Op;
use crate::world::{Call, World, place};

/// Two refunds of one trade are at least this far apart.
const PAUSE_MS: i64 = 3_000;

/// Calendar months after the payment in which the contract lets a trade be refunded.
const WINDOW_MONTHS: Months = Months::new(12);

/// What was asked, with the defaults filled in.
struct Asked {
    number: String,
    amount_fen: i64,
    key: String,
    reason: String,
}

/// Refunds a part or all of a trade.
///
/// Identity is trade and `out_request_no`: the same amount again is answered as
/// a success that moved nothing, another amount is refused. The number of a refund
/// that failed may be used again.
pub(super) fn refund(world: &World, biz: &Value) -> Result<Answer, Failure> {
    let now_ms = world.clock.now_ms();
    world.book.enter(now_ms, |ledger| {
        let account = self::account(ledger, biz)?.clone();
        let asked = read(biz, &account)?;
        let (key, number, payee) = (&asked.key, &asked.number, &account.trade.trade_no);
        let call = Call { channel: Channel::Alipay, op: Op::Transfer, key, number, payee };
        let behaviour = world.behaviour(ledger, &call);
        if behaviour.effect == Effect::Nothing {
            return Ok(Answer { reply: behaviour.reply, node: String::new() });
        }
        let known = ledger.order(&asked.key).cloned();
        let known = known.filter(|order| !matches!(order.state, State::Refused(..)));
        let fund_change = match known {
            Some(order) if world.dedups(Channel::Alipay) => {
                if order.placed.amount_fen != asked.amount_fen {
                    return Err(Failure::business("DISCORDANT_REPEAT_REQUEST", "请求信息不一致"));
                }
                "N"
            }
            _ => {
                if world.dedups(Channel::Alipay) {
                    check(world, &account, &asked)?;
                }
                match &behaviour.effect {
                    Effect::Refuse(refusal) => return Err(refused(*refusal)),
                    Effect::RefuseWith(code) => return Err(Failure::coded(code)),
                    _ => {}
                }
                place(ledger, order(ledger, &account, &asked, now_ms), &behaviour);
                let state = ledger.order(&asked.key).map(|order| &order.state);
                if state == Some(&State::Paid) { "Y" } else { "N" }
            }
        };
        let account = self::account(ledger, biz)?;
        Ok(Answer { reply: behaviour.reply, node: node(biz, account, &asked, fund_change) })
    })
}

/// The trade that the call names; `trade_no` wins over `out_trade_no`.
pub(super) fn account<'a>(ledger: &'a Ledger, biz: &Value) -> Result<&'a Account, Failure> {
    let (trade_no, out_trade_no) = (member(biz, "trade_no"), member(biz, "out_trade_no"));
    ledger
        .trade(Channel::Alipay, [&trade_no, &out_trade_no])
        .ok_or_else(|| Failure::business("TRADE_NOT_EXIST", "交易不存在"))
}

fn read(biz: &Value, account: &Account) -> Result<Asked, Failure> {
    let invalid = |text: &str| Failure::business("INVALID_PARAMETER", text);
    let amount_fen = fen(&member(biz, "refund_amount")).ok_or_else(|| invalid("参数无效：refund_amount"))?;
    let mut number = member(biz, "out_request_no");
    if number.is_empty() {
        if amount_fen != account.trade.total_fen {
            let text = "部分退款时out_request_no不能为空";
            return Err(Failure::business("REFUND_AMT_NOT_EQUAL_TOTAL", text));
        }
        number.clone_from(&account.trade.out_trade_no);
    }
    if number.len() > 64 {
        return Err(invalid("参数无效：out_request_no"));
    }
    let key = order_key(Channel::Alipay, &account.trade.trade_no, &number);
    Ok(Asked { number, amount_fen, key, reason: member(biz, "refund_reason") })
}

fn check(world: &World, account: &Account, asked: &Asked) -> Result<(), Failure> {
    let now_ms = world.clock.now_ms();
    let too_soon = account.last_refund_ms.is_some_and(|last_ms| now_ms - last_ms < PAUSE_MS);
    let last_day = beijing(account.paid_ms).date_naive() + WINDOW_MONTHS;
    if beijing(now_ms).date_naive() > last_day {
        return Err(refused(Refusal::WindowClosed));
    }
    if account.committed_fen + asked.amount_fen > account.trade.total_fen {
        return Err(Failure::business("REASON_TRADE_REFUND_FEE_ERR", "退款金额无效"));
    }
    if world.switches.limits == Limits::Real && too_soon {
        return Err(Failure::new("40005", "isv.method-call-limited", "同一笔交易的退款间隔需大于3秒"));
    }
    Ok(())
}

fn refused(refusal: Refusal) -> Failure {
    let (code, text) = match refusal {
        Refusal::NoSuchAccount => ("BUYER_NOT_EXIST", "买家不存在"),
        Refusal::NameMismatch => ("USER_NOT_MATCH_ERR", "交易用户不匹配"),
        Refusal::OverLimit => ("REFUND_FEE_ERROR", "交易退款金额有误"),
        Refusal::OurBalance => ("SELLER_BALANCE_NOT_ENOUGH", "卖家余额不足"),
        Refusal::WindowClosed => ("TRADE_HAS_FINISHED", "交易已完结，不允许退款"),
    };
    Failure::business(code, text)
}

fn order(ledger: &Ledger, account: &Account, asked: &Asked, now_ms: i64) -> NewOrder {
    let mut echo = std::collections::BTreeMap::new();
    if !asked.reason.is_empty() {
        echo.insert("reason".to_owned(), asked.reason.clone());
    }
    NewOrder {
        key: asked.key.clone(),
        channel: Channel::Alipay,
        number: asked.number.clone(),
        trade_no: account.trade.trade_no.clone(),
        payee: account.trade.trade_no.clone(),
        amount_fen: asked.amount_fen,
        reference: format!("{:016}", ledger.order_count() + 1),
        created_ms: now_ms,
        due_ms: None,
        aftermath: Aftermath::default(),
        refused: None,
        notify_url: account.trade.notify_url.clone(),
        echo,
    }
}

/// Where the money of a refund went: all of it to the payer's wallet.
pub(super) fn detail_items(amount: &str) -> String {
    let item = Object::new()
        .text("amount", amount)
        .text("fund_channel", "ALIPAYACCOUNT")
        .text("real_amount", amount)
        .finish();
    format!("[{item}]")
}

/// The success node; `refund_fee` is cumulative over the trade.
fn node(biz: &Value, account: &Account, asked: &Asked, fund_change: &str) -> String {
    let node = Object::new()
        .text("code", "10000")
        .text("msg", "Success")
        .text("buyer_logon_id", "159****5620")
        .text("buyer_user_id", "2088101117955611")
        .text("fund_change", fund_change)
        .text("out_trade_no", &account.trade.out_trade_no)
        .text("refund_fee", &yuan(account.refunded_fen));
    let amount = yuan(asked.amount_fen);
    let node = if wants(biz, "refund_detail_item_list") {
        node.raw("refund_detail_item_list", &detail_items(&amount))
    } else {
        node
    };
    let node = if biz.get("query_options").is_some() { node.text("send_back_fee", &amount) } else { node };
    node.text("trade_no", &account.trade.trade_no).finish()
}
