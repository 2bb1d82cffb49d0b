//! camt.054 and camt.053: booked entries of the paying account.
//!
//! Releases .08 and .09 differ in nothing that is read here.

use domain::{Currency, Money};
use reqwest::header::HeaderMap;

use crate::bank::Bank;
use crate::bank::xml::{self, Node};
use crate::doubt::Doubt;
use crate::notice::{Claim, Notice, NoticeRefused, Stated, beijing};

/// One transaction of a booked entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) end_to_end_id: String,
    pub(crate) amount: Money,
    /// Money that came back to the account, as against money that left it.
    pub(crate) is_credit: bool,
    /// `RvslInd` or `RtrInf`: a payment that was sent back.
    pub(crate) is_return: bool,
    /// `AcctSvcrRef`, the bank's number.
    pub(crate) reference: String,
    /// `NtryRef`.
    pub(crate) entry_ref: String,
    /// `BookgDt/Dt`.
    pub(crate) booked_on: String,
}

impl Bank {
    /// Verifies and reads a camt.054; empty when it has no booked payout.
    pub(crate) fn notices(&self, headers: &HeaderMap, body: &[u8]) -> Result<Vec<Notice>, NoticeRefused> {
        let signature = headers.get("x-signature").and_then(|value| value.to_str().ok()).unwrap_or_default();
        self.counterpart.verify(body, signature).map_err(|_| Doubt::signature("it does not hold"))?;
        let root = xml::read(body).map_err(|_| Doubt::unreadable("it is not XML"))?;
        let message = root
            .at("BkToCstmrDbtCdtNtfctn")
            .filter(|_| root.attribute("xmlns").contains(":camt.054."))
            .ok_or_else(|| Doubt::unreadable("it is not a camt.054"))?;
        let mut notices = Vec::new();
        for notification in message.all("Ntfctn") {
            if notification.text_at("Acct/Id/Othr/Id") != self.debtor.account {
                return Err(NoticeRefused::Foreign);
            }
            for entry in entries(notification)? {
                notices.push(notice(entry));
            }
        }
        Ok(notices)
    }
}

fn notice(entry: Line) -> Notice {
    let claim = match (entry.is_credit, entry.is_return) {
        (false, false) => Claim::Paid,
        (true, true) => Claim::Returned,
        _ => Claim::Unclear,
    };
    Notice {
        // A bank may book the way out and the way back under one reference.
        id: format!(
            "{}-{}-{}-{}",
            entry.reference,
            entry.entry_ref,
            entry.end_to_end_id,
            if entry.is_credit { "CRDT" } else { "DBIT" }
        ),
        payout_no: entry.end_to_end_id,
        amount: Stated::This(entry.amount),
        claim,
        at: beijing(&format!("{} 00:00:00", entry.booked_on), "%Y-%m-%d %H:%M:%S"),
    }
}

/// The booked transactions of a notification or a statement that carry a number.
pub(crate) fn entries(report: &Node) -> Result<Vec<Line>, Doubt> {
    let mut entries = Vec::new();
    for entry in report.all("Ntry").filter(|entry| entry.text_at("Sts/Cd") == "BOOK") {
        for transaction in entry.all("NtryDtls").flat_map(|details| details.all("TxDtls")) {
            let end_to_end_id = transaction.text_at("Refs/EndToEndId");
            if end_to_end_id.is_empty() || end_to_end_id == "NOTPROVIDED" {
                continue;
            }
            let direction = match transaction.text_at("CdtDbtInd") {
                "" => entry.text_at("CdtDbtInd"),
                own => own,
            };
            let is_credit = match direction {
                "CRDT" => true,
                "DBIT" => false,
                _ => return Err(Doubt::unreadable("an entry is neither debit nor credit")),
            };
            entries.push(Line {
                end_to_end_id: end_to_end_id.to_owned(),
                amount: amount(transaction.at("Amt").or_else(|| entry.at("Amt")))?,
                is_credit,
                is_return: entry.text_at("RvslInd") == "true" || transaction.at("RtrInf").is_some(),
                reference: entry.text_at("AcctSvcrRef").to_owned(),
                entry_ref: entry.text_at("NtryRef").to_owned(),
                booked_on: entry.text_at("BookgDt/Dt").to_owned(),
            });
        }
    }
    Ok(entries)
}

/// An exact amount in CNY.
pub(crate) fn amount(node: Option<&Node>) -> Result<Money, Doubt> {
    node.filter(|node| node.attribute("Ccy") == "CNY")
        .and_then(|node| Money::parse(node.text.trim(), Currency::Cny).ok())
        .ok_or_else(|| Doubt::unreadable("an amount is not CNY with two decimals"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use chrono::{TimeZone as _, Utc};
    use domain::{Money, Rail};
    use reqwest::header::{HeaderMap, HeaderValue};

    use crate::notice::{Claim, Notice, NoticeRefused, Stated};
    use crate::rsa::{Signing, SigningKey};
    use crate::{Gateways, Limits};

    const RETURNED: &str = include_str!("../../tests/vectors/bank/camt.054_return.xml");
    const BANK_KEY: &str = include_str!("../../tests/keys/bank/bank_key.pem");

    fn received(text: &str) -> Result<Vec<Notice>, NoticeRefused> {
        let signature = SigningKey::from_pem(BANK_KEY, Signing::On).unwrap().sign(text.as_bytes());
        let mut headers = HeaderMap::new();
        headers.insert("x-signature", HeaderValue::from_str(&signature).unwrap());
        gateways().notices(Rail::Bank, &headers, text.as_bytes())
    }

    fn gateways() -> Gateways {
        let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys");
        Gateways::from_key_folder(&keys, "http://127.0.0.1:1", Limits::default()).unwrap()
    }

    #[test]
    fn a_credit_with_a_return_reason_is_money_that_came_back() {
        let expected = Notice {
            id: "BK20261124000000000009-RT20261124000001-WD2026112300000001-2-CRDT".to_owned(),
            payout_no: "WD2026112300000001-2".to_owned(),
            amount: Stated::This(Money::from_minor(123_456)),
            claim: Claim::Returned,
            at: Utc.with_ymd_and_hms(2026, 11, 23, 16, 0, 0).single(),
        };
        assert_eq!(received(RETURNED), Ok(vec![expected]));
        let debit = RETURNED
            .replace("CRDT", "DBIT")
            .replace("<RvslInd>true</RvslInd>", "")
            .replace("RtrInf", "Other");
        assert_eq!(received(&debit).map(|notices| notices[0].claim), Ok(Claim::Paid));
    }

    #[test]
    fn entries_that_are_not_booked_or_not_ours_say_nothing() {
        assert_eq!(received(&RETURNED.replace("BOOK", "PDNG")), Ok(vec![]));
        assert_eq!(
            received(&RETURNED.replace("<EndToEndId>WD2026112300000001-2</EndToEndId>", "")),
            Ok(vec![])
        );
        let foreign = RETURNED.replace("62220000000000000001", "62220000000000000002");
        assert_eq!(received(&foreign), Err(NoticeRefused::Foreign));
        for changed in [
            RETURNED.replace("1234.56", "1234.567"),
            RETURNED.replace("1234.56", "-1234.56"),
            RETURNED.replace("CNY\">", "USD\">"),
            RETURNED.replace("camt.054", "camt.052"),
            RETURNED.replace("CRDT", "BOTH"),
        ] {
            let result = received(&changed);
            assert!(matches!(result, Err(NoticeRefused::Unreadable(_))), "{result:?}");
        }
    }

    #[test]
    fn an_unsigned_notification_is_refused() {
        let result = gateways().notices(Rail::Bank, &HeaderMap::new(), RETURNED.as_bytes());
        assert!(matches!(result, Err(NoticeRefused::Signature(_))), "{result:?}");
    }
}
