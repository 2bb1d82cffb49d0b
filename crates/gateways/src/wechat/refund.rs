//! The refund and its query: what is asked and what the answer means.

use serde::{Deserialize, Serialize};

use crate::doubt::{Doubt, plain};
use crate::order::{Order, SourceTrade, cut};
use crate::outcome::{Finding, Outcome, Refusal};
use crate::wechat::codes;
use crate::wire::Answer;

/// Refunds are posted here and asked for below it.
pub(super) const PATH: &str = "/v3/refund/domestic/refunds";

/// Bytes of a reason.
const REASON_MAX: usize = 80;

#[derive(Serialize)]
struct Body<'a> {
    transaction_id: &'a str,
    out_refund_no: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    notify_url: Option<&'a str>,
    amount: BodyAmount,
}

#[derive(Serialize)]
struct BodyAmount {
    refund: i64,
    total: i64,
    currency: &'static str,
}

/// The fields of a refund that decide something.
#[derive(Deserialize)]
struct Told {
    refund_id: String,
    out_refund_no: String,
    status: String,
    amount: RefundAmount,
}

#[derive(Deserialize)]
struct RefundAmount {
    refund: i64,
    currency: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Problem {
    code: String,
    message: String,
}

/// The body of the refund. The same order gives the same bytes.
pub(super) fn request(order: &Order, trade: &SourceTrade, notify_url: Option<&str>) -> Vec<u8> {
    let amount = BodyAmount { refund: order.amount.minor(), total: trade.total.minor(), currency: "CNY" };
    let body = Body {
        transaction_id: &trade.trade_no,
        out_refund_no: &order.payout_no,
        reason: cut(&order.reason, REASON_MAX),
        notify_url,
        amount,
    };
    serde_json::to_vec(&body).expect("texts and integers serialise")
}

/// What a verified answer to the refund says.
pub(super) fn outcome(answer: &Answer, order: &Order) -> Result<Outcome, Doubt> {
    if !answer.is_success() {
        let problem = Problem::of(answer);
        let code = problem.code_or_status(answer.status);
        return Ok(
            codes::class(answer.status, &problem.code, &problem.message).outcome(&code, &problem.message)
        );
    }
    let refund = Told::of(answer, order)?;
    let reference = refund.refund_id;
    let detail = || format!("refund {} is {}", plain(&reference), refund.status);
    let code = refund.status.clone();
    Ok(match refund.status.as_str() {
        "SUCCESS" => Outcome::Succeeded { reference },
        "PROCESSING" => Outcome::Pending { reference: Some(reference) },
        "CLOSED" => Outcome::Failed { code, detail: detail() },
        "ABNORMAL" => Outcome::Reroute { code, detail: detail() },
        other => return Err(Doubt::new("unknown_status", other)),
    })
}

/// What a verified answer to the query says.
pub(super) fn finding(answer: &Answer, order: &Order) -> Result<Finding, Doubt> {
    if !answer.is_success() {
        let problem = Problem::of(answer);
        if (answer.status, problem.code.as_str()) == (404, "RESOURCE_NOT_EXISTS") {
            return Ok(Finding::NotFound { detail: plain(&problem.message) });
        }
        return Err(Doubt::new(&problem.code_or_status(answer.status), &problem.message));
    }
    let refund = Told::of(answer, order)?;
    let reference = refund.refund_id;
    let detail = || format!("refund {} is {}", plain(&reference), refund.status);
    let code = refund.status.clone();
    Ok(match refund.status.as_str() {
        "SUCCESS" => Finding::Paid { reference },
        "PROCESSING" => Finding::Pending { reference: Some(reference) },
        "CLOSED" => Finding::Refused { refusal: Refusal::Failed, code, detail: detail() },
        "ABNORMAL" => Finding::Refused { refusal: Refusal::Reroute, code, detail: detail() },
        other => return Err(Doubt::new("unknown_status", other)),
    })
}

impl Told {
    /// Reads a verified 2xx and checks that it speaks of the order.
    fn of(answer: &Answer, order: &Order) -> Result<Self, Doubt> {
        let refund: Self = serde_json::from_slice(&answer.body)
            .map_err(|_| Doubt::unreadable("the answer is not a refund"))?;
        if refund.out_refund_no != order.payout_no {
            return Err(Doubt::mismatch("out_refund_no"));
        }
        if refund.amount.refund != order.amount.minor() || refund.amount.currency != "CNY" {
            return Err(Doubt::mismatch("amount"));
        }
        Ok(refund)
    }
}

impl Problem {
    fn of(answer: &Answer) -> Self {
        serde_json::from_slice(&answer.body).unwrap_or_default()
    }

    fn code_or_status(&self, status: u16) -> String {
        if self.code.is_empty() { format!("http_{status}") } else { plain(&self.code) }
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderMap;
    use serde_json::{Value, json};

    use super::{finding, outcome, request};
    use crate::fixtures::{order, trade};
    use crate::outcome::{Finding, Outcome};
    use crate::wire::Answer;

    fn answer(status: u16, body: impl Into<Vec<u8>>) -> Answer {
        Answer { status, headers: HeaderMap::new(), body: body.into() }
    }

    fn refund(change: &Value) -> Answer {
        let mut body = json!({
            "refund_id": "503000202611230912108812146342",
            "out_refund_no": order().payout_no,
            "status": "SUCCESS",
            "amount": {"refund": 1234, "total": 10_000, "currency": "CNY"},
        });
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        answer(200, body.to_string())
    }

    /// Answer, then what the refund and what the query make of it.
    fn cases() -> Vec<(&'static str, Answer, &'static str, &'static str)> {
        let amount =
            |refund: Value, currency: &str| json!({"amount": {"refund": refund, "currency": currency}});
        let problem = |status, code: &str| answer(status, json!({"code": code, "message": ""}).to_string());
        vec![
            ("done", refund(&json!({})), "Succeeded", "Paid"),
            ("under way", refund(&json!({"status": "PROCESSING"})), "Pending", "Pending"),
            ("closed", refund(&json!({"status": "CLOSED"})), "Failed", "Refused { refusal: Failed"),
            ("card gone", refund(&json!({"status": "ABNORMAL"})), "Reroute", "Refused { refusal: Reroute"),
            ("a new status", refund(&json!({"status": "DONE"})), "Unknown", "Unknown"),
            ("another number", refund(&json!({"out_refund_no": "WD1"})), "Unknown", "Unknown"),
            ("another amount", refund(&amount(json!(1235), "CNY")), "Unknown", "Unknown"),
            ("an amount in yuan", refund(&amount(json!(12.34), "CNY")), "Unknown", "Unknown"),
            ("another currency", refund(&amount(json!(1234), "USD")), "Unknown", "Unknown"),
            ("no refund id", refund(&json!({"refund_id": null})), "Unknown", "Unknown"),
            ("garbage", answer(200, "<html>"), "Unknown", "Unknown"),
            ("nothing", answer(204, ""), "Unknown", "Unknown"),
            ("a redirect", answer(302, ""), "Unknown", "Unknown"),
            ("no such thing", problem(404, "RESOURCE_NOT_EXISTS"), "Failed", "NotFound"),
            ("a 404 of somebody else", answer(404, "not found"), "Unknown", "Unknown"),
            ("no funds", problem(403, "NOT_ENOUGH"), "RetryLater", "Unknown"),
            ("bad signature of ours", problem(401, "SIGN_ERROR"), "Configuration", "Unknown"),
            ("parameter", problem(400, "PARAM_ERROR"), "Failed", "Unknown"),
            ("too fast", problem(429, "FREQUENCY_LIMITED"), "Unknown", "Unknown"),
            ("down", problem(500, "SYSTEM_ERROR"), "Unknown", "Unknown"),
            ("unavailable", answer(503, ""), "Unknown", "Unknown"),
        ]
    }

    #[test]
    fn every_answer_has_its_outcome_and_its_finding() {
        for (name, answer, paid, asked) in cases() {
            let said = outcome(&answer, &order()).unwrap_or_else(Outcome::from);
            assert!(format!("{said:?}").starts_with(paid), "{name}: {said:?}");
            let found = finding(&answer, &order()).unwrap_or_else(Finding::from);
            assert!(format!("{found:?}").starts_with(asked), "{name}: {found:?}");
        }
    }

    #[test]
    fn the_request_is_the_body_of_the_vectors_and_the_same_at_every_attempt() {
        let body = request(&order(), &trade(), Some("https://pay.example.com/notify/wechat"));
        assert_eq!(
            String::from_utf8(body.clone()).unwrap(),
            r#"{"transaction_id":"202611201000100336758","out_refund_no":"WD20261123000000011","reason":"提现退款","notify_url":"https://pay.example.com/notify/wechat","amount":{"refund":1234,"total":10000,"currency":"CNY"}}"#
        );
        assert_eq!(body, request(&order(), &trade(), Some("https://pay.example.com/notify/wechat")));
    }
}
