//! pain.002.001.10: what the bank says of a transfer.

use crate::bank::xml::{self, Node};
use crate::doubt::{Doubt, plain};
use crate::order::Order;
use crate::wire::Answer;

/// The newest status of one transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Status {
    /// `TxSts`, or the group's where the report does not go down to transactions.
    pub(super) code: String,
    /// `StsRsnInf/Rsn/Cd` or `Prtry`; empty when there is none.
    pub(super) reason: String,
    /// `AddtlInf`, fit to be kept.
    pub(super) text: String,
    /// `AcctSvcrRef`, the bank's own number.
    pub(super) reference: Option<String>,
}

impl Status {
    /// Reads a verified report on the order.
    pub(super) fn read(body: &[u8], order: &Order) -> Result<Self, Doubt> {
        Self::in_report(body, order)?
            .ok_or_else(|| Doubt::unreadable("the report has no status of the transfer"))
    }

    /// Reads a verified answer to a query; nothing when the number is not known.
    pub(super) fn read_found(answer: &Answer, order: &Order) -> Result<Option<Self>, Doubt> {
        match answer.status {
            404 => Ok(None),
            200 => Self::read(&answer.body, order).map(Some),
            status => Err(Doubt::new(&format!("http_{status}"), "the bank refused the query")),
        }
    }

    fn in_report(body: &[u8], order: &Order) -> Result<Option<Self>, Doubt> {
        let root = xml::read(body).map_err(|_| Doubt::unreadable("the report is not XML"))?;
        let report = root
            .at("CstmrPmtStsRpt")
            .filter(|_| root.name == "Document" && root.attribute("xmlns").contains(":pain.002."))
            .ok_or_else(|| Doubt::unreadable("the answer is not a pain.002"))?;
        let ours = |node: &&Node| node.text_at("OrgnlEndToEndId") == order.payout_no;
        let transactions = report.all("OrgnlPmtInfAndSts").flat_map(|batch| batch.all("TxInfAndSts"));
        if let Some(transaction) = transactions.filter(ours).last() {
            return Ok(Some(Self::of(transaction, "TxSts")));
        }
        let group =
            report.at("OrgnlGrpInfAndSts").ok_or_else(|| Doubt::unreadable("the report has no group"))?;
        if group.text_at("OrgnlMsgId") != order.payout_no {
            return Err(Doubt::mismatch("OrgnlMsgId"));
        }
        // PART without our transaction says nothing about it.
        let told = !matches!(group.text_at("GrpSts"), "" | "PART");
        Ok(told.then(|| Self::of(group, "GrpSts")))
    }

    fn of(node: &Node, name: &str) -> Self {
        let reason = match node.text_at("StsRsnInf/Rsn/Cd") {
            "" => node.text_at("StsRsnInf/Rsn/Prtry"),
            code => code,
        };
        let reference = Some(node.text_at("AcctSvcrRef")).filter(|text| !text.is_empty()).map(str::to_owned);
        Self {
            code: plain(node.text_at(name)),
            reason: plain(reason),
            text: plain(node.text_at("StsRsnInf/AddtlInf")),
            reference,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Status;
    use crate::fixtures::order;
    use crate::order::Order;

    const PART: &str = include_str!("../../tests/vectors/bank/pain.002_part.xml");
    const DUPLICATE: &str = include_str!("../../tests/vectors/bank/pain.002_duplicate.xml");

    fn numbered(payout_no: &str) -> Order {
        Order { payout_no: payout_no.to_owned(), ..order() }
    }

    #[test]
    fn a_transfer_is_found_by_its_exact_number() {
        let reference = Some("BK20261123000000000001".to_owned());
        for (number, code, reason, reference) in
            [("WD2026112300000001-2", "ACSP", "", reference), ("WD2026112300000002-1", "RJCT", "AC01", None)]
        {
            let status = Status::read(PART.as_bytes(), &numbered(number)).unwrap();
            assert_eq!((status.code.as_str(), status.reason.as_str()), (code, reason), "{number}");
            assert_eq!(status.reference, reference, "{number}");
        }
        for number in ["WD2026112300000001", "WD2026112300000001-22", "WDB20261123000001"] {
            assert!(Status::read(PART.as_bytes(), &numbered(number)).is_err(), "{number}");
        }
    }

    #[test]
    fn a_refused_message_speaks_for_its_transfer() {
        let status = Status::read(DUPLICATE.as_bytes(), &numbered("WDB20261123000001")).unwrap();
        assert_eq!((status.code.as_str(), status.reason.as_str()), ("RJCT", "AM05"));
        assert!(Status::read(DUPLICATE.as_bytes(), &numbered("WDB20261123000002")).is_err());
    }

    #[test]
    fn what_is_not_a_report_says_nothing() {
        let other = PART.replace("pain.002.001.10", "pain.001.001.09");
        for text in ["", "<html/>", "{}", &PART[..PART.trim_end().len() - 1], &other] {
            assert!(Status::read(text.as_bytes(), &numbered("WD2026112300000001-2")).is_err(), "{text}");
        }
    }
}
