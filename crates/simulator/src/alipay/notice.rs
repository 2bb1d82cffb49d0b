//! The notice about a refund, as a form to the trade's own address.

use crate::book::{Account, News, Order};
use crate::clock::{beijing, spaced};
use crate::money::yuan;
use crate::postman::{Letter, Notice};
use crate::world::World;

/// Writes the form; `sign` and `sign_type` are not part of what is signed.
pub(crate) fn letter(world: &World, notice: &Notice, found: (&Order, &Account)) -> Letter {
    let mut pairs = pairs(world, notice, found);
    pairs.sort();
    let text: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let sign = world.keys.alipay.gateway.sign(text.join("&").as_bytes());
    pairs.push(("sign_type", "RSA2".to_owned()));
    pairs.push(("sign", sign));
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    Letter { content_type: "application/x-www-form-urlencoded; charset=utf-8", headers: Vec::new(), body }
}

fn pairs(
    world: &World,
    notice: &Notice,
    (order, account): (&Order, &Account),
) -> Vec<(&'static str, String)> {
    let settings = &world.keys.settings.alipay;
    let trade = &account.trade;
    let closed = account.refunded_fen >= trade.total_fen;
    let moment = beijing(notice.at_ms);
    let mut pairs = vec![
        ("gmt_create", spaced(account.paid_ms)),
        ("charset", "utf-8".to_owned()),
        ("seller_email", "seller@example.com".to_owned()),
        ("subject", "账户充值".to_owned()),
        ("buyer_id", "2088101117955611".to_owned()),
        ("notify_id", format!("{}{:026}", moment.format("%Y%m%d"), notice.sequence)),
        ("notify_type", "trade_status_sync".to_owned()),
        ("notify_time", spaced(world.clock.now_ms())),
        ("version", "1.0".to_owned()),
        ("app_id", settings.app_id.clone()),
        ("seller_id", settings.seller_id.clone()),
        ("trade_no", trade.trade_no.clone()),
        ("out_trade_no", trade.out_trade_no.clone()),
        ("out_biz_no", order.placed.number.clone()),
        ("trade_status", if closed { "TRADE_CLOSED" } else { "TRADE_SUCCESS" }.to_owned()),
        ("total_amount", yuan(trade.total_fen)),
        ("refund_fee", yuan(account.refunded_fen)),
        ("gmt_payment", spaced(account.paid_ms)),
        ("gmt_refund", moment.format("%Y-%m-%d %H:%M:%S%.3f").to_string()),
    ];
    if notice.news == News::Returned {
        pairs.push(("dback_status", "F".to_owned()));
        pairs.push(("dback_amount", yuan(order.placed.amount_fen)));
    }
    pairs
}
