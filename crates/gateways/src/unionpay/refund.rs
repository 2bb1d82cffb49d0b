//! The refund and its query: what is asked and what the answer means.

use chrono::FixedOffset;

use crate::doubt::{Class, Doubt, plain};
use crate::order::{Order, SourceTrade};
use crate::outcome::{Finding, Outcome, Refusal};
use crate::unionpay::codes;
use crate::unionpay::form::Form;

/// `txnTime`: when the number was minted, in Beijing. Part of the identity.
pub(super) fn txn_time(order: &Order) -> String {
    let zone = FixedOffset::east_opt(8 * 3_600).expect("eight hours are an offset");
    order.minted_at.with_timezone(&zone).format("%Y%m%d%H%M%S").to_string()
}

/// Completes the common fields to a refund.
pub(super) fn request(common: Form, order: &Order, trade: &SourceTrade) -> Form {
    common
        .with("txnType", "04")
        .with("txnSubType", "00")
        .with("bizType", "000201")
        .with("origQryId", &trade.trade_no)
        .with("txnAmt", &order.amount.minor().to_string())
        .with("currencyCode", "156")
}

/// Completes the common fields to a query.
pub(super) fn query(common: Form) -> Form {
    common.with("txnType", "00").with("txnSubType", "00").with("bizType", "000000")
}

/// What a verified answer to the refund says.
pub(super) fn outcome(answer: &Form, order: &Order, mer_id: &str) -> Result<Outcome, Doubt> {
    check_echo(answer, order, mer_id)?;
    let (code, message) = (answer.get("respCode"), answer.get("respMsg"));
    if code == "00" || code == "A6" {
        check_amount(answer, order)?;
        return Ok(Outcome::Pending { reference: query_id(answer) });
    }
    Ok(codes::class(code, message).outcome(code, message))
}

/// What a verified answer to the query says.
pub(super) fn finding(answer: &Form, order: &Order, mer_id: &str) -> Result<Finding, Doubt> {
    check_echo(answer, order, mer_id)?;
    let (code, message) = (answer.get("respCode"), answer.get("respMsg"));
    match code {
        "00" => {}
        "34" => return Ok(Finding::NotFound { detail: plain(message) }),
        _ => return Err(Doubt::new(&plain(code), message)),
    }
    let (code, message) = (answer.get("origRespCode"), answer.get("origRespMsg"));
    if code == "00" || code == "A6" {
        check_amount(answer, order)?;
        let reference = query_id(answer).ok_or_else(|| Doubt::unreadable("the answer has no queryId"))?;
        return Ok(Finding::Paid { reference });
    }
    if code == "05" {
        return Ok(Finding::Pending { reference: query_id(answer) });
    }
    let class = codes::class(code, message);
    let (code, detail) = (plain(code), plain(message));
    Ok(match class {
        Class::Unknown => return Err(Doubt::Unknown { code, detail }),
        Class::Failed => Finding::Refused { refusal: Refusal::Failed, code, detail },
        Class::Reroute => Finding::Refused { refusal: Refusal::Reroute, code, detail },
        Class::RetryLater | Class::Configuration => Finding::Spent { code, detail },
    })
}

/// The answer speaks of our order. Refusals may leave fields out, not change them.
fn check_echo(answer: &Form, order: &Order, mer_id: &str) -> Result<(), Doubt> {
    let must = ["00", "A6"].contains(&answer.get("respCode"));
    let txn_time = txn_time(order);
    for (name, ours) in [("merId", mer_id), ("orderId", &order.payout_no), ("txnTime", &txn_time)] {
        let echoed = answer.get(name);
        if echoed != ours && (must || !echoed.is_empty()) {
            return Err(Doubt::mismatch(name));
        }
    }
    Ok(())
}

fn check_amount(answer: &Form, order: &Order) -> Result<(), Doubt> {
    if answer.get("txnAmt") == order.amount.minor().to_string() {
        Ok(())
    } else {
        Err(Doubt::mismatch("txnAmt"))
    }
}

fn query_id(answer: &Form) -> Option<String> {
    Some(answer.get("queryId")).filter(|id| !id.is_empty()).map(str::to_owned)
}
