//! Files of transfers: one pain.001 under one number, and what became of each part.
//!
//! The caller keeps the exact bytes and may send them again: under the same
//! `MsgId` a bank answers the same bytes with what it knows.

use chrono::{DateTime, NaiveDate, Utc};

use crate::bank::pain002::{Report, Status};
use crate::bank::{Bank, codes, pain001};
use crate::doubt::Doubt;
use crate::order::{Incomplete, Order};
use crate::outcome::Outcome;
use crate::wire::Request;

/// Transfers that go to the bank together.
#[derive(Debug, Clone, Copy)]
pub struct TransferFile<'a> {
    /// `MsgId`: 1 to 35 characters, never used for other bytes.
    pub msg_id: &'a str,
    /// `CreDtTm`, the same at every send.
    pub created_at: DateTime<Utc>,
    /// `ReqdExctnDt`, in Beijing.
    pub execute_on: NaiveDate,
    /// What is to be paid. At least one.
    pub orders: &'a [Order],
}

/// What is known of a file after it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Receipt {
    /// The bank told what became of it. It is not to be sent again.
    Answered,
    /// It never left this machine.
    Unsent,
    /// It may have arrived. The same bytes may be sent again, and no others.
    Doubtful,
}

impl Bank {
    /// What is to be told of an order that cannot be written down for the bank, and
    /// must stay out of a file; nothing when it can.
    #[must_use]
    pub fn unfit(&self, order: &Order) -> Option<Outcome> {
        pain001::transfer(order).err().map(|why| Outcome::incomplete(&why))
    }

    /// The exact bytes of a file.
    ///
    /// # Errors
    /// [`Incomplete`] when one of its orders has no usable payee.
    pub fn file(&self, file: &TransferFile<'_>) -> Result<Vec<u8>, Incomplete> {
        pain001::write(&self.debtor, file).map(String::into_bytes)
    }

    /// Sends the bytes of a file, once. There is one outcome per order, in their
    /// order; each speaks of its own transfer alone.
    pub async fn send(&self, msg_id: &str, bytes: Vec<u8>, orders: &[Order]) -> (Receipt, Vec<Outcome>) {
        let signature = self.key.sign(&bytes);
        let request = Request::post("/bank/pain001", "application/xml; charset=utf-8", bytes)
            .with("x-signature", signature);
        let asked = self.call(request).await;
        match asked.and_then(|answer| Report::read(&answer.body)) {
            Ok(report) => {
                let told = orders.iter().map(|order| outcome(&report, msg_id, order, orders.len()));
                (Receipt::Answered, told.collect())
            }
            Err(doubt) => {
                let unsent = matches!(doubt, Doubt::NotSent(_));
                let told = orders.iter().map(|_| Outcome::from(doubt.clone())).collect();
                (if unsent { Receipt::Unsent } else { Receipt::Doubtful }, told)
            }
        }
    }
}

/// What a report on a file of `transfers` says of one of them.
fn outcome(report: &Report, msg_id: &str, order: &Order, transfers: usize) -> Outcome {
    match report.of_transfer(&order.payout_no) {
        Some(status) => codes::outcome(status, order),
        None => match report.of_group(msg_id) {
            Ok(Some(status)) if transfers > 1 => of_whole_file(status, order),
            Ok(Some(status)) => codes::outcome(status, order),
            Ok(None) => Doubt::unreadable("the report has no status of the transfer").into(),
            Err(doubt) => doubt.into(),
        },
    }
}

/// A final refusal of a whole file blames none of its transfers: it is the file,
/// or the agreement with the bank, that people must mend.
fn of_whole_file(status: &Status, order: &Order) -> Outcome {
    match codes::outcome(status, order) {
        Outcome::Failed { code, detail } | Outcome::Reroute { code, detail } => {
            Outcome::Configuration { code, detail }
        }
        outcome => outcome,
    }
}

#[cfg(test)]
mod tests {
    use super::outcome;
    use crate::bank::pain002::Report;
    use crate::fixtures::order;
    use crate::order::Order;
    use crate::outcome::Outcome;

    const PART: &str = include_str!("../../tests/vectors/bank/pain.002_part.xml");
    const DUPLICATE: &str = include_str!("../../tests/vectors/bank/pain.002_duplicate.xml");

    fn said(text: &str, number: &str, transfers: usize) -> Outcome {
        let order = Order { payout_no: number.to_owned(), ..order() };
        outcome(&Report::read(text.as_bytes()).unwrap(), "WDB20261123000001", &order, transfers)
    }

    #[test]
    fn part_speaks_of_each_transfer_alone() {
        assert!(matches!(said(PART, "WD2026112300000001-2", 3), Outcome::Pending { .. }));
        assert!(
            matches!(said(PART, "WD2026112300000002-1", 3), Outcome::Reroute { code, .. } if code == "AC01")
        );
        // It was sent, and the report leaves it out.
        assert!(matches!(said(PART, "WD20261123000000011", 3), Outcome::Unknown { .. }));
    }

    #[test]
    fn a_refused_file_blames_none_of_its_transfers() {
        for (reason, transfers, expected) in [
            ("AM05", 1, "Unknown"),
            ("AM05", 2, "Unknown"),
            ("FF01", 1, "Failed"),
            ("FF01", 2, "Configuration"),
            ("TM01", 2, "RetryLater"),
        ] {
            let said = said(&DUPLICATE.replace("AM05", reason), "WD20261123000000011", transfers);
            assert!(format!("{said:?}").starts_with(expected), "{reason} {transfers}: {said:?}");
        }
        let other = DUPLICATE.replace("WDB20261123000001", "WDB20261123000002");
        assert!(
            matches!(said(&other, "WD20261123000000011", 1), Outcome::Unknown { code, .. } if code == "mismatch")
        );
    }
}
