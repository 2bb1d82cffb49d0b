//! What every status and every reason means.

use crate::bank::pain002::Status;
use crate::doubt::{Class, Doubt, class_of, plain};
use crate::order::Order;
use crate::outcome::{Finding, Outcome, Refusal};

/// Received, checked, under way: not final.
const PENDING: [&str; 6] = ["RCVD", "PDNG", "ACTC", "ACCP", "ACSP", "ACWC"];

/// Settled on the debtor's side, or credited.
const SETTLED: [&str; 2] = ["ACSC", "ACCC"];

/// Reasons of `RJCT`, of the external code set.
const REASONS: &[(&str, Class)] = &[
    // The payee as given cannot be paid: number, closed, blocked, not allowed, name,
    // bank. Other details can be asked for (R8, R6c).
    ("AC01", Class::Reroute),
    ("AC04", Class::Reroute),
    ("AC06", Class::Reroute),
    ("AG01", Class::Reroute),
    ("BE01", Class::Reroute),
    ("RC01", Class::Reroute),
    ("RC04", Class::Reroute),
    ("AM02", Class::Failed),
    ("AM14", Class::Failed),
    ("FF01", Class::Failed),
    ("MS03", Class::Failed),
    ("NARR", Class::Failed),
    ("AM04", Class::RetryLater),
    ("TM01", Class::RetryLater),
    // The number is known: ask, never take a new one.
    ("AM05", Class::Unknown),
];

/// Every reason of the table.
pub(crate) fn documented() -> impl Iterator<Item = (&'static str, Class)> {
    REASONS.iter().copied()
}

/// The class of a refusal. A reason that is not documented is unknown.
fn class(reason: &str) -> Class {
    class_of(REASONS, reason).unwrap_or(Class::Unknown)
}

/// What a verified report on a message that was just sent says.
pub(super) fn outcome(status: &Status, order: &Order) -> Outcome {
    match status.code.as_str() {
        code if SETTLED.contains(&code) => Outcome::Succeeded { reference: reference(status, order) },
        code if PENDING.contains(&code) => Outcome::Pending { reference: status.reference.clone() },
        "RJCT" => class(&status.reason).outcome(&status.reason, &status.text),
        "CANC" => Class::Failed.outcome("CANC", &status.text),
        code => Class::Unknown.outcome(code, &status.text),
    }
}

/// What a verified answer to a query says; no status means that the number is
/// not known.
pub(super) fn finding(status: Option<&Status>, order: &Order) -> Result<Finding, Doubt> {
    let Some(status) = status else {
        return Ok(Finding::NotFound { detail: "the bank does not know the number".to_owned() });
    };
    let (code, detail) = (status.reason.clone(), plain(&status.text));
    Ok(match status.code.as_str() {
        sts if SETTLED.contains(&sts) => Finding::Paid { reference: reference(status, order) },
        sts if PENDING.contains(&sts) => Finding::Pending { reference: status.reference.clone() },
        "RJCT" => match class(&status.reason) {
            Class::Unknown => return Err(Doubt::Unknown { code, detail }),
            Class::Reroute => Finding::Refused { refusal: Refusal::Reroute, code, detail },
            Class::Failed => Finding::Refused { refusal: Refusal::Failed, code, detail },
            // The same bytes get the same refusal, and other bytes are a duplicate.
            Class::RetryLater | Class::Configuration => Finding::Spent { code, detail },
        },
        "CANC" => Finding::Refused { refusal: Refusal::Failed, code: "CANC".to_owned(), detail },
        sts => return Err(Doubt::new(sts, &status.text)),
    })
}

/// The bank's number of the movement; ours where it gave none.
fn reference(status: &Status, order: &Order) -> String {
    status.reference.clone().unwrap_or_else(|| order.payout_no.clone())
}

#[cfg(test)]
mod tests {
    use super::{finding, outcome};
    use crate::bank::pain002::Status;
    use crate::fixtures::order;
    use crate::outcome::Finding;

    #[test]
    fn every_status_and_every_reason_has_its_outcome_and_its_finding() {
        let refused = "Refused { refusal: Failed";
        let mut cases = vec![("ACSC", "", "Succeeded", "Paid"), ("ACCC", "", "Succeeded", "Paid")];
        cases.extend(
            ["RCVD", "PDNG", "ACTC", "ACCP", "ACSP", "ACWC"].map(|sts| (sts, "", "Pending", "Pending")),
        );
        cases.push(("CANC", "", "Failed", refused));
        let failed = ["AM02", "AM14", "FF01", "MS03", "NARR"];
        cases.extend(failed.map(|reason| ("RJCT", reason, "Failed", refused)));
        let unusable = ["AC01", "AC04", "AC06", "AG01", "BE01", "RC01", "RC04"];
        let elsewhere = "Refused { refusal: Reroute";
        cases.extend(unusable.map(|reason| ("RJCT", reason, "Reroute", elsewhere)));
        cases.extend(["AM04", "TM01"].map(|reason| ("RJCT", reason, "RetryLater", "Spent")));
        cases.extend(["AM05", "XX99", ""].map(|reason| ("RJCT", reason, "Unknown", "Unknown")));
        cases.extend(["PART", "XXXX", ""].map(|sts| (sts, "", "Unknown", "Unknown")));
        for (sts, reason, paid, asked) in cases {
            let status = Status {
                code: sts.to_owned(),
                reason: reason.to_owned(),
                text: String::new(),
                reference: Some("BK20261123000000000001".to_owned()),
            };
            let said = outcome(&status, &order());
            assert!(format!("{said:?}").starts_with(paid), "{sts} {reason}: {said:?}");
            let found = finding(Some(&status), &order()).unwrap_or_else(Finding::from);
            assert!(format!("{found:?}").starts_with(asked), "{sts} {reason}: {found:?}");
        }
        assert!(matches!(finding(None, &order()), Ok(Finding::NotFound { .. })));
    }
}
