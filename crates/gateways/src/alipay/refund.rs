//! The refund and its query: what is asked and what the answer means.

use domain::{Currency, Money};
use serde::{Deserialize, Serialize};

use crate::alipay::codes;
use crate::doubt::{Doubt, plain};
use crate::order::{Order, SourceTrade, cut};
use crate::outcome::{Finding, Outcome};

pub(super) const REFUND: &str = "alipay.trade.refund";
pub(super) const QUERY: &str = "alipay.trade.fastpay.refund.query";

/// Bytes of a reason; the limit is 256 characters.
const REASON_MAX: usize = 256;

#[derive(Serialize)]
struct RefundContent<'a> {
    trade_no: &'a str,
    refund_amount: String,
    out_request_no: &'a str,
    refund_reason: &'a str,
}

#[derive(Serialize)]
struct QueryContent<'a> {
    trade_no: &'a str,
    out_request_no: &'a str,
    query_options: [&'a str; 2],
}

/// The fields of both answers that decide something.
#[derive(Deserialize)]
struct Node {
    code: String,
    #[serde(default)]
    msg: String,
    #[serde(default)]
    sub_code: String,
    #[serde(default)]
    sub_msg: String,
    trade_no: Option<String>,
    fund_change: Option<String>,
    refund_fee: Option<String>,
    out_request_no: Option<String>,
    refund_amount: Option<String>,
    refund_status: Option<String>,
    deposit_back_info: Option<DepositBack>,
}

#[derive(Deserialize)]
struct DepositBack {
    dback_status: Option<String>,
}

/// `biz_content` of the refund. The same order gives the same text.
pub(super) fn request(order: &Order, trade: &SourceTrade) -> String {
    let body = RefundContent {
        trade_no: &trade.trade_no,
        refund_amount: order.amount.to_text(Currency::Cny),
        out_request_no: &order.payout_no,
        refund_reason: cut(&order.reason, REASON_MAX),
    };
    serde_json::to_string(&body).expect("texts serialise")
}

/// `biz_content` of the query.
pub(super) fn query(order: &Order, trade: &SourceTrade) -> String {
    let body = QueryContent {
        trade_no: &trade.trade_no,
        out_request_no: &order.payout_no,
        query_options: ["gmt_refund_pay", "deposit_back_info"],
    };
    serde_json::to_string(&body).expect("texts serialise")
}

/// What a verified answer to the refund says.
pub(super) fn outcome(node: &str, order: &Order, trade: &SourceTrade) -> Result<Outcome, Doubt> {
    let node = read(node)?;
    if node.code != "10000" {
        let (code, detail) = node.words();
        return Ok(codes::class(&node.code, &node.sub_code).outcome(code, detail));
    }
    if node.trade_no.as_deref() != Some(&trade.trade_no) {
        return Err(Doubt::mismatch("trade_no"));
    }
    if node.fund_change.as_deref() != Some("Y") {
        // Also the answer to a repeat of a refund that is done: the query decides.
        return Ok(Outcome::Pending { reference: None });
    }
    // The sum of all refunds of the trade: at least this one.
    let refunded = amount(node.refund_fee.as_deref())?;
    if refunded < order.amount {
        return Err(Doubt::mismatch("refund_fee"));
    }
    Ok(Outcome::Succeeded { reference: trade.trade_no.clone() })
}

/// What a verified answer to the query says.
pub(super) fn finding(node: &str, order: &Order, trade: &SourceTrade) -> Result<Finding, Doubt> {
    let node = read(node)?;
    let (code, detail) = node.words();
    if node.code == "40004" && codes::bare(&node.sub_code) == "TRADE_NOT_EXIST" {
        return Ok(Finding::NotFound { detail: plain(detail) });
    }
    if node.code != "10000" {
        return Err(Doubt::new(&plain(code), detail));
    }
    let other = |answered: &Option<String>, ours: &str| answered.as_deref().is_some_and(|text| text != ours);
    if other(&node.out_request_no, &order.payout_no) {
        return Err(Doubt::mismatch("out_request_no"));
    }
    if other(&node.trade_no, &trade.trade_no) {
        return Err(Doubt::mismatch("trade_no"));
    }
    let Some(status) = node.refund_status else {
        // Not received, or failed: the same number may go again.
        return Ok(Finding::NotFound { detail: "the answer has no refund_status".to_owned() });
    };
    if status != "REFUND_SUCCESS" {
        return Err(Doubt::new("unknown_status", status));
    }
    if node.out_request_no.is_none() || amount(node.refund_amount.as_deref())? != order.amount {
        return Err(Doubt::mismatch("refund_amount"));
    }
    let reference = trade.trade_no.clone();
    let bounced = node.deposit_back_info.and_then(|info| info.dback_status).as_deref() == Some("F");
    if bounced {
        let detail = "the bank card behind the wallet sent the refund back".to_owned();
        return Ok(Finding::Returned { reference, detail });
    }
    Ok(Finding::Paid { reference })
}

impl Node {
    /// The most telling code and text.
    fn words(&self) -> (&str, &str) {
        let code = if self.sub_code.is_empty() { &self.code } else { &self.sub_code };
        let text = if self.sub_msg.is_empty() { &self.msg } else { &self.sub_msg };
        (code, text)
    }
}

fn read(node: &str) -> Result<Node, Doubt> {
    serde_json::from_str(node).map_err(|_| Doubt::unreadable("the node has unexpected fields"))
}

fn amount(text: Option<&str>) -> Result<Money, Doubt> {
    let text = text.ok_or_else(|| Doubt::unreadable("the answer has no amount"))?;
    Money::parse(text, Currency::Cny)
        .map_err(|_| Doubt::unreadable("the amount is not yuan with two decimals"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{finding, outcome, query, request};
    use crate::fixtures::{order, trade};
    use crate::outcome::{Finding, Outcome};

    fn merged(mut node: Value, change: &Value) -> String {
        for (name, value) in change.as_object().unwrap() {
            node[name] = value.clone();
        }
        node.to_string()
    }

    fn said(change: &Value) -> Outcome {
        let done =
            json!({"code": "10000", "trade_no": trade().trade_no, "fund_change": "Y", "refund_fee": "12.34"});
        outcome(&merged(done, change), &order(), &trade()).unwrap_or_else(Outcome::from)
    }

    fn found(change: &Value) -> Finding {
        let done = json!({
            "code": "10000",
            "trade_no": trade().trade_no,
            "out_request_no": order().payout_no,
            "refund_amount": "12.34",
            "refund_status": "REFUND_SUCCESS",
        });
        finding(&merged(done, change), &order(), &trade()).unwrap_or_else(Finding::from)
    }

    #[test]
    fn the_request_names_trade_amount_and_number() {
        let text = request(&order(), &trade());
        assert_eq!(
            text,
            r#"{"trade_no":"202611201000100336758","refund_amount":"12.34","out_request_no":"WD20261123000000011","refund_reason":"提现退款"}"#
        );
        assert_eq!(text, request(&order(), &trade()), "a repeat is the same text");
        assert!(query(&order(), &trade()).contains(r#""out_request_no":"WD20261123000000011""#));
    }

    #[test]
    fn money_moved_only_when_fund_change_says_so() {
        for (name, change, expected) in [
            ("done", json!({}), "Succeeded"),
            ("more refunds of the trade before", json!({"refund_fee": "50.00"}), "Succeeded"),
            ("a repeat", json!({"fund_change": "N"}), "Pending"),
            ("no word of it", json!({"fund_change": null}), "Pending"),
            ("another trade", json!({"trade_no": "1"}), "Unknown"),
            ("no trade", json!({"trade_no": null}), "Unknown"),
            ("less than asked", json!({"refund_fee": "12.33"}), "Unknown"),
            ("no amount", json!({"refund_fee": null}), "Unknown"),
            ("a number for an amount", json!({"refund_fee": 12.34}), "Unknown"),
            ("not decimal", json!({"refund_fee": "1e3"}), "Unknown"),
            ("no code", json!({"code": null}), "Unknown"),
            ("window", json!({"code": "40004", "sub_code": "ACQ.TRADE_HAS_FINISHED"}), "Reroute"),
            ("funds", json!({"code": "40004", "sub_code": "ACQ.SELLER_BALANCE_NOT_ENOUGH"}), "RetryLater"),
            ("system", json!({"code": "40004", "sub_code": "ACQ.SYSTEM_ERROR"}), "Unknown"),
            ("signature", json!({"code": "40002", "sub_code": "isv.invalid-signature"}), "Configuration"),
            ("closed", json!({"code": "40004", "sub_code": "ACQ.TRADE_HAS_CLOSE"}), "Failed"),
        ] {
            let said = said(&change);
            assert!(format!("{said:?}").starts_with(expected), "{name}: {said:?}");
        }
    }

    #[test]
    fn the_query_tells_paid_from_not_found_and_from_everything_else() {
        for (name, change, expected) in [
            ("done", json!({}), "Paid"),
            ("bounced", json!({"deposit_back_info": {"dback_status": "F"}}), "Returned"),
            ("on its way to the card", json!({"deposit_back_info": {"dback_status": "P"}}), "Paid"),
            ("not received", json!({"refund_status": null}), "NotFound"),
            ("no such trade", json!({"code": "40004", "sub_code": "ACQ.TRADE_NOT_EXIST"}), "NotFound"),
            ("a new status", json!({"refund_status": "REFUND_PROCESSING"}), "Unknown"),
            ("another number", json!({"out_request_no": "WD20261123000000012"}), "Unknown"),
            ("another number, not found", json!({"out_request_no": "x", "refund_status": null}), "Unknown"),
            ("no number", json!({"out_request_no": null}), "Unknown"),
            ("another trade", json!({"trade_no": "1"}), "Unknown"),
            ("another amount", json!({"refund_amount": "12.35"}), "Unknown"),
            ("no amount", json!({"refund_amount": null}), "Unknown"),
            ("system", json!({"code": "40004", "sub_code": "ACQ.SYSTEM_ERROR"}), "Unknown"),
            ("parameter", json!({"code": "40004", "sub_code": "ACQ.INVALID_PARAMETER"}), "Unknown"),
            ("gateway", json!({"code": "20000", "sub_code": "isp.unknow-error"}), "Unknown"),
        ] {
            let found = found(&change);
            assert!(format!("{found:?}").starts_with(expected), "{name}: {found:?}");
        }
    }
}
