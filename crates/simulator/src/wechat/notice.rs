//! The notice about a refund: encrypted inside, signed outside.

use super::certificates::encrypt;
use super::sealed::Seal;
use crate::book::{Account, News, Order};
use crate::clock::{compact, rfc3339};
use crate::json_text::Object;
use crate::postman::{Letter, Notice};
use crate::world::World;

/// Writes the notice in the mode in which the merchant asked for the refund.
pub(crate) fn letter(world: &World, notice: &Notice, (order, account): (&Order, &Account)) -> Letter {
    let (status, summary) = match notice.news {
        News::Settled => ("SUCCESS", "退款成功"),
        News::Returned => ("ABNORMAL", "退款异常"),
        News::Failed => ("CLOSED", "退款关闭"),
    };
    let settings = &world.keys.settings.wechat;
    let plaintext = plaintext(&settings.mchid, notice, (order, account, status));
    let resource = encrypt(&settings.apiv3_key, "refund", plaintext.as_bytes())
        .object()
        .text("original_type", "refund")
        .finish();
    let body = Object::new()
        .text("id", &format!("EV-{}{:05}", compact(notice.at_ms), notice.sequence))
        .text("create_time", &rfc3339(notice.at_ms))
        .text("resource_type", "encrypt-resource")
        .text("event_type", &format!("REFUND.{status}"))
        .text("summary", summary)
        .raw("resource", &resource)
        .finish();
    let headers = Seal::for_order(&world.keys, order).headers(&body).to_vec();
    Letter { content_type: "application/json", headers, body }
}

fn plaintext(mchid: &str, notice: &Notice, found: (&Order, &Account, &str)) -> String {
    let (order, account, status) = found;
    let (total, refund) = (account.trade.total_fen, order.placed.amount_fen);
    let amount = Object::new()
        .number("total", total)
        .number("refund", refund)
        .number("payer_total", total)
        .number("payer_refund", refund)
        .finish();
    let node = Object::new()
        .text("mchid", mchid)
        .text("transaction_id", &account.trade.trade_no)
        .text("out_trade_no", &account.trade.out_trade_no)
        .text("refund_id", &order.placed.reference)
        .text("out_refund_no", &order.placed.number)
        .text("refund_status", status);
    let node = if status == "SUCCESS" { node.text("success_time", &rfc3339(notice.at_ms)) } else { node };
    node.text("user_received_account", "支付用户零钱").raw("amount", &amount).finish()
}
