//! The query, `txnType` 00: the only place where a result is final.

use super::form::{Form, Pairs};
use super::refund::identity;
use super::{Answer, Code};
use crate::book::{Entry, Order, State};
use crate::channel::Channel;
use crate::clock::beijing;
use crate::options::Limits;
use crate::scenario::Op;
use crate::world::{Call, World};

/// Queries of one order that is still open.
const QUERIES_MAX: u32 = 6;

/// Tells what became of the order with the same `orderId` and `txnTime`.
pub(super) fn query(world: &World, form: &Form) -> Result<Answer, Code> {
    if form.get("orderId").is_empty() {
        return Err(Code::new("13", "报文交易要素缺失"));
    }
    let key = identity(form);
    world.book.enter(world.clock.now_ms(), |ledger| {
        let payee = ledger.order(&key).map_or_else(String::new, |order| order.placed.payee.clone());
        let (number, payee) = (form.get("orderId"), &payee);
        let call = Call { channel: Channel::Unionpay, op: Op::Query, key: &key, number, payee };
        let reply = world.query_reply(ledger, &call);
        let Some(order) = ledger.order(&key).cloned() else {
            let code = Code::new("34", "查无此交易");
            return Ok(Answer { reply, ..Answer::from(code) });
        };
        if order.state == State::Pending && world.switches.limits == Limits::Real {
            if order.queries >= QUERIES_MAX {
                return Err(Code::new("37", "已超过最大查询次数或操作过于频繁"));
            }
            ledger.record(&Entry::Query { key: key.clone() });
        }
        Ok(Answer { reply, fields: fields(&order), code: Code::ok() })
    })
}

fn fields(order: &Order) -> Pairs {
    let kind = order.placed.echo.get("bizType").cloned().unwrap_or_default();
    let mut pairs: Pairs =
        vec![("bizType", kind), ("txnType", "04".to_owned()), ("txnSubType", "00".to_owned())];
    pairs.extend(settlement(order));
    result(&order.state).push(&mut pairs, ["origRespCode", "origRespMsg"]);
    pairs
}

/// Amounts, numbers and times of an order, in queries and notices.
pub(super) fn settlement(order: &Order) -> Pairs {
    let placed = &order.placed;
    let amount = placed.amount_fen.to_string();
    vec![
        ("txnAmt", amount.clone()),
        ("queryId", placed.reference.clone()),
        ("origQryId", placed.trade_no.clone()),
        ("currencyCode", "156".to_owned()),
        ("settleCurrencyCode", "156".to_owned()),
        ("settleAmt", amount),
        ("settleDate", settle_date(placed.created_ms)),
        ("traceNo", placed.reference[14..20].to_owned()),
        ("traceTime", beijing(placed.created_ms).format("%m%d%H%M%S").to_string()),
    ]
}

/// The clearing day runs from 23:00 to 23:00.
pub(super) fn settle_date(created_ms: i64) -> String {
    beijing(created_ms + 3_600_000).format("%m%d").to_string()
}

pub(super) fn result(state: &State) -> Code {
    match state {
        State::Pending => Code::new("05", "交易已受理，请稍后查询交易结果"),
        State::Paid | State::Returned(_) => Code::ok(),
        State::Refused(code, text) => Code { code: code.clone(), text: text.clone() },
    }
}
