//! The refund, `txnType` 04: accepted here, decided in the query.

use std::collections::BTreeMap;

use super::form::Form;
use super::{Answer, Code};
use crate::behaviour::{Aftermath, Effect, Refusal};
use crate::book::{Account, Ledger, NewOrder, order_key};
use crate::channel::Channel;
use crate::clock::compact;
use crate::money::fen_digits;
use crate::scenario::Op;
use crate::world::{Call, World, place};

/// The system takes refunds on for so long after the purchase.
const WINDOW_MS: i64 = 330 * 24 * 3600 * 1000;

/// What was asked.
struct Asked<'a> {
    form: &'a Form,
    key: String,
    amount_fen: i64,
    now_ms: i64,
}

/// Takes a refund on. The identity is merchant, `orderId` and `txnTime`; a repeat
/// is refused with 12, never answered with the old result.
pub(super) fn refund(world: &World, form: &Form) -> Result<Answer, Code> {
    let amount_fen = fen_digits(form.get("txnAmt")).ok_or_else(format_error)?;
    check_form(form)?;
    let now_ms = world.clock.now_ms();
    world.book.enter(now_ms, |ledger| {
        let original = [form.get("origQryId"), ""];
        let account = ledger
            .trade(Channel::Unionpay, original)
            .filter(|account| account.trade.trade_no == form.get("origQryId"))
            .ok_or_else(|| Code::new("35", "原交易不存在或状态不正确"))?
            .clone();
        let key = identity(form);
        let (number, payee) = (form.get("orderId"), &account.trade.trade_no);
        let call = Call { channel: Channel::Unionpay, op: Op::Transfer, key: &key, number, payee };
        let behaviour = world.behaviour(ledger, &call);
        let asked = Asked { form, key, amount_fen, now_ms };
        if behaviour.effect == Effect::Nothing {
            return Ok(Answer { reply: behaviour.reply, fields: Vec::new(), code: Code::ok() });
        }
        if world.dedups(Channel::Unionpay) {
            if ledger.order(&asked.key).is_some() {
                return Err(Code::new("12", "重复交易"));
            }
            check(&account, &asked)?;
        }
        let mut order = order(ledger, &account, &asked);
        let reference = order.reference.clone();
        let refusal = match &behaviour.effect {
            Effect::Refuse(refusal) => Some(refused(*refusal)),
            Effect::RefuseWith(code) => Some(Code::new(code, "")),
            _ => None,
        };
        let code = if let Some(code) = refusal {
            if is_final(&code.code) {
                order.refused = Some((code.code.clone(), code.text.clone()));
                ledger.place(order);
            }
            code
        } else {
            place(ledger, order, &behaviour);
            Code::ok()
        };
        let fields = vec![("txnAmt", form.get("txnAmt").to_owned()), ("queryId", reference)];
        Ok(Answer { reply: behaviour.reply, fields, code })
    })
}

/// The order key of a form's identity.
pub(super) fn identity(form: &Form) -> String {
    order_key(Channel::Unionpay, form.get("txnTime"), form.get("orderId"))
}

fn format_error() -> Code {
    Code::new("10", "报文格式错误")
}

fn check_form(form: &Form) -> Result<(), Code> {
    if ["orderId", "origQryId", "txnAmt", "backUrl", "channelType"]
        .iter()
        .any(|name| form.get(name).is_empty())
    {
        return Err(Code::new("13", "报文交易要素缺失"));
    }
    let order_id = form.get("orderId");
    let good_id =
        (8..=32).contains(&order_id.len()) && order_id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let time = form.get("txnTime");
    let good_time = time.len() == 14 && chrono::NaiveDateTime::parse_from_str(time, "%Y%m%d%H%M%S").is_ok();
    if good_id && good_time && form.get("txnSubType") == "00" { Ok(()) } else { Err(format_error()) }
}

fn check(account: &Account, asked: &Asked<'_>) -> Result<(), Code> {
    if account.committed_fen + asked.amount_fen > account.trade.total_fen {
        return Err(Code::new("36", "与原交易信息不符"));
    }
    if asked.now_ms - account.paid_ms > WINDOW_MS {
        return Err(window_closed());
    }
    Ok(())
}

/// Whether a refusal is kept. After the others, which say later, unclear or short
/// of funds, the same identity may be tried again.
fn is_final(code: &str) -> bool {
    !["02", "03", "04", "05", "06", "10", "11", "13", "31", "32", "37", "39", "64"].contains(&code)
}

fn window_closed() -> Code {
    Code { code: "35".to_owned(), text: "原交易已超过退货期限[4040007]".to_owned() }
}

fn refused(refusal: Refusal) -> Code {
    match refusal {
        Refusal::NoSuchAccount => Code::new("61", "输入的卡号无效，请确认后输入"),
        Refusal::NameMismatch => Code::new("66", "持卡人身份信息不正确"),
        Refusal::OverLimit => Code::new("33", "交易金额超限"),
        Refusal::OurBalance => Code::new("64", "账户余额不足"),
        Refusal::WindowClosed => window_closed(),
    }
}

/// The `queryId` is 14 digits of time, the 6-digit trace number and one digit.
fn order(ledger: &Ledger, account: &Account, asked: &Asked<'_>) -> NewOrder {
    let trace = (ledger.order_count() + 1) % 1_000_000;
    let form = asked.form;
    let echo: BTreeMap<String, String> = ["orderId", "txnTime", "origQryId", "bizType", "reqReserved"]
        .into_iter()
        .map(|name| (name.to_owned(), form.get(name).to_owned()))
        .filter(|(_, value)| !value.is_empty())
        .collect();
    NewOrder {
        key: asked.key.clone(),
        channel: Channel::Unionpay,
        number: form.get("orderId").to_owned(),
        trade_no: account.trade.trade_no.clone(),
        payee: account.trade.trade_no.clone(),
        amount_fen: asked.amount_fen,
        reference: format!("{}{trace:06}8", compact(asked.now_ms)),
        created_ms: asked.now_ms,
        due_ms: None,
        aftermath: Aftermath::default(),
        refused: None,
        notify_url: Some(form.get("backUrl").to_owned()),
        echo,
    }
}
