//! The refund and its query: what is asked and what the answer means.

use chrono::{DateTime, FixedOffset, Utc};

use crate::doubt::{Class, Doubt, plain};
use crate::order::{Order, SourceTrade};
use crate::outcome::{Finding, Outcome, Refusal};
use crate::unionpay::codes;
use crate::unionpay::form::Form;

/// `txnTime`: when the number was minted, in Beijing. Part of the identity.
pub(super) fn txn_time(order: &Order) -> String {
    beijing(order.minted_at.timestamp())
}

/// `YYYYMMDDhhmmss` in Beijing of a moment in Unix seconds.
pub(super) fn beijing(unix: i64) -> String {
    let zone = FixedOffset::east_opt(8 * 3_600).expect("eight hours are an offset");
    let at = DateTime::<Utc>::from_timestamp(unix, 0).unwrap_or_default();
    at.with_timezone(&zone).format("%Y%m%d%H%M%S").to_string()
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

#[cfg(test)]
mod tests {
    use super::{finding, outcome, query, request, txn_time};
    use crate::fixtures::{order, trade};
    use crate::outcome::{Finding, Outcome};
    use crate::unionpay::form::Form;

    const MER_ID: &str = "777290058110048";

    fn answer(changes: &[(&str, &str)]) -> Form {
        let order = order();
        let whole = Form::from([
            ("merId", MER_ID),
            ("orderId", &order.payout_no),
            ("txnTime", "20261123100000"),
            ("txnAmt", "1234"),
            ("queryId", "202611231000000336768"),
            ("respCode", "00"),
            ("respMsg", "成功[0000000]"),
            ("origRespCode", "00"),
        ]);
        changes.iter().fold(whole, |form, (name, value)| form.with(name, value))
    }

    #[test]
    fn the_request_has_the_fields_of_the_vectors() {
        let order = order();
        assert_eq!(txn_time(&order), "20261123100000");
        let form = request(Form::default(), &order, &trade());
        for (name, value) in [
            ("txnType", "04"),
            ("bizType", "000201"),
            ("origQryId", "202611201000100336758"),
            ("txnAmt", "1234"),
            ("currencyCode", "156"),
        ] {
            assert_eq!(form.get(name), value, "{name}");
        }
        assert_eq!(query(Form::default()).get("bizType"), "000000");
    }

    #[test]
    fn a_refund_is_accepted_and_never_done_by_its_own_answer() {
        for (name, changes, expected) in [
            ("accepted", &[][..], "Pending"),
            ("another amount", &[("txnAmt", "1235")], "Unknown"),
            ("another order", &[("orderId", "WD20261123000000012")], "Unknown"),
            ("another time", &[("txnTime", "20261123100001")], "Unknown"),
            ("another merchant", &[("merId", "1")], "Unknown"),
            ("no order", &[("orderId", "")], "Unknown"),
            (
                "a refusal without echo",
                &[("respCode", "10"), ("orderId", ""), ("txnTime", "")],
                "Configuration",
            ),
            ("a refusal of another order", &[("respCode", "36"), ("orderId", "x")], "Unknown"),
            ("known already", &[("respCode", "12")], "Unknown"),
            ("under way", &[("respCode", "05")], "Unknown"),
            ("closed for the night", &[("respCode", "39")], "RetryLater"),
            ("declined", &[("respCode", "60")], "Failed"),
            ("too old", &[("respCode", "35"), ("respMsg", "超过期限[4040007]")], "Reroute"),
            ("unheard of", &[("respCode", "88")], "Unknown"),
            ("no code", &[("respCode", "")], "Unknown"),
        ] {
            let said = outcome(&answer(changes), &order(), MER_ID).unwrap_or_else(Outcome::from);
            assert!(format!("{said:?}").starts_with(expected), "{name}: {said:?}");
        }
    }

    #[test]
    fn the_query_speaks_by_the_code_of_the_original() {
        for (name, changes, expected) in [
            ("done", &[][..], "Paid"),
            ("done with a defect", &[("origRespCode", "A6")], "Paid"),
            ("accepted", &[("origRespCode", "05")], "Pending"),
            ("timed out inside", &[("origRespCode", "03")], "Unknown"),
            ("unclear", &[("origRespCode", "04")], "Unknown"),
            ("busy", &[("origRespCode", "06")], "Unknown"),
            ("declined", &[("origRespCode", "60")], "Refused { refusal: Failed"),
            (
                "too old",
                &[("origRespCode", "35"), ("origRespMsg", "[4040007]")],
                "Refused { refusal: Reroute",
            ),
            ("too many at the time", &[("origRespCode", "37")], "Spent"),
            ("badly signed at the time", &[("origRespCode", "11")], "Spent"),
            ("no original code", &[("origRespCode", "")], "Unknown"),
            ("another amount", &[("txnAmt", "1235")], "Unknown"),
            ("no query id", &[("queryId", "")], "Unknown"),
            ("another order", &[("orderId", "x")], "Unknown"),
            ("not there", &[("respCode", "34")], "NotFound"),
            ("too many queries", &[("respCode", "37")], "Unknown"),
            ("the query failed", &[("respCode", "01")], "Unknown"),
        ] {
            let found = finding(&answer(changes), &order(), MER_ID).unwrap_or_else(Finding::from);
            assert!(format!("{found:?}").starts_with(expected), "{name}: {found:?}");
        }
    }
}
