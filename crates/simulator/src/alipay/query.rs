//! `alipay.trade.fastpay.refund.query`.

use serde_json::Value;

use super::failure::Failure;
use super::refund::{account, detail_items};
use super::{Answer, member, wants};
use crate::book::{State, order_key};
use crate::channel::Channel;
use crate::clock::spaced;
use crate::json_text::Object;
use crate::money::yuan;
use crate::scenario::Op;
use crate::world::{Call, World};

/// Tells what became of a refund.
///
/// `refund_status` is present only when the money has moved: without it the
/// refund was not received, failed or is not done, and the caller repeats it
/// with the same number and amount.
pub(super) fn query(world: &World, biz: &Value) -> Result<Answer, Failure> {
    let number = member(biz, "out_request_no");
    if number.is_empty() {
        return Err(Failure::business("INVALID_PARAMETER", "参数无效：out_request_no"));
    }
    world.book.enter(world.clock.now_ms(), |ledger| {
        let account = account(ledger, biz)?.clone();
        let trade = &account.trade;
        let node = Object::new().text("code", "10000").text("msg", "Success");
        let key = order_key(Channel::Alipay, &trade.trade_no, &number);
        let (number, payee) = (&number, &trade.trade_no);
        let call = Call { channel: Channel::Alipay, op: Op::Query, key: &key, number, payee };
        let reply = world.query_reply(ledger, &call);
        let paid = ledger.order(&key).filter(|order| matches!(order.state, State::Paid | State::Returned(_)));
        let Some(order) = paid else {
            return Ok(Answer { reply, node: node.finish() });
        };
        let amount = yuan(order.placed.amount_fen);
        let node = node
            .text("out_request_no", number)
            .text("out_trade_no", &trade.out_trade_no)
            .text("refund_amount", &amount)
            .text("refund_status", "REFUND_SUCCESS")
            .text("send_back_fee", &amount)
            .text("total_amount", &yuan(trade.total_fen))
            .text("trade_no", &trade.trade_no);
        let node = if wants(biz, "refund_detail_item_list") {
            node.raw("refund_detail_item_list", &detail_items(&amount))
        } else {
            node
        };
        let node = if wants(biz, "gmt_refund_pay") {
            node.text("gmt_refund_pay", &spaced(order.changed_ms))
        } else {
            node
        };
        let node = if wants(biz, "deposit_back_info") {
            node.raw("deposit_back_info", &deposit_back(&order.state, &amount))
        } else {
            node
        };
        Ok(Answer { reply, node: node.finish() })
    })
}

/// Whether the payer's bank took the money: a returned refund says `F`.
fn deposit_back(state: &State, amount: &str) -> String {
    let node = Object::new();
    match state {
        State::Returned(_) => node
            .text("has_deposit_back", "true")
            .text("dback_status", "F")
            .text("dback_amount", amount)
            .finish(),
        _ => node.text("has_deposit_back", "false").finish(),
    }
}
