//! pain.002.001.10: what the bank says of a transfer.

use std::collections::HashMap;

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

/// What a report says: of its transfers, or of the message as a whole.
#[derive(Debug)]
pub(super) struct Report {
    msg_id: String,
    group: Option<Status>,
    transfers: HashMap<String, Status>,
}

impl Report {
    /// Reads a verified report.
    pub(super) fn read(body: &[u8]) -> Result<Self, Doubt> {
        let root = xml::read(body).map_err(|_| Doubt::unreadable("the report is not XML"))?;
        let report = root
            .at("CstmrPmtStsRpt")
            .filter(|_| root.name == "Document" && root.attribute("xmlns").contains(":pain.002."))
            .ok_or_else(|| Doubt::unreadable("the answer is not a pain.002"))?;
        let group =
            report.at("OrgnlGrpInfAndSts").ok_or_else(|| Doubt::unreadable("the report has no group"))?;
        let transactions = report.all("OrgnlPmtInfAndSts").flat_map(|batch| batch.all("TxInfAndSts"));
        let transfer = |node: &Node| (node.text_at("OrgnlEndToEndId").to_owned(), Status::of(node, "TxSts"));
        // PART says nothing about a transfer that is not told of.
        let told = !matches!(group.text_at("GrpSts"), "" | "PART");
        Ok(Self {
            msg_id: group.text_at("OrgnlMsgId").to_owned(),
            group: told.then(|| Status::of(group, "GrpSts")),
            transfers: transactions.map(transfer).collect(),
        })
    }

    /// What it says of a transfer by its exact number.
    pub(super) fn of_transfer(&self, payout_no: &str) -> Option<&Status> {
        self.transfers.get(payout_no)
    }

    /// What it says of the message `msg_id` as a whole.
    pub(super) fn of_group(&self, msg_id: &str) -> Result<Option<&Status>, Doubt> {
        if self.msg_id != msg_id {
            return Err(Doubt::mismatch("OrgnlMsgId"));
        }
        Ok(self.group.as_ref())
    }
}

impl Status {
    /// Reads a verified report on the order.
    pub(super) fn read(body: &[u8], order: &Order) -> Result<Self, Doubt> {
        let report = Report::read(body)?;
        let status = match report.of_transfer(&order.payout_no) {
            Some(status) => Some(status),
            None => report.of_group(&order.payout_no)?,
        };
        status.cloned().ok_or_else(|| Doubt::unreadable("the report has no status of the transfer"))
    }

    /// Reads a verified answer to a query; nothing when the number is not known.
    pub(super) fn read_found(answer: &Answer, order: &Order) -> Result<Option<Self>, Doubt> {
        match answer.status {
            404 => Ok(None),
            200 => Self::read(&answer.body, order).map(Some),
            status => Err(Doubt::new(&format!("http_{status}"), "the bank refused the query")),
        }
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
