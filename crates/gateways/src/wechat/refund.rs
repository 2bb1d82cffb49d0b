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
