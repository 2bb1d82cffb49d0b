//! Outstanding invoices (R4).

use super::fact::InvoiceStep;
use super::refusal::Refusal;
use crate::Money;

/// What is known of one invoice: `issued − returned − paid` is outstanding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Invoice {
    /// What was written; nothing before it was issued.
    pub issued: Money,
    /// What was taken back.
    pub returned: Money,
    /// What was paid.
    pub paid: Money,
}

impl Invoice {
    /// The invoice after `step`, and what the account's outstanding amount gains
    /// (issued) or loses (returned, paid).
    ///
    /// R4: returns and payments may come in parts, and together never exceed what
    /// was issued. An invoice is issued once.
    pub(super) fn after(
        known: Option<Self>,
        step: InvoiceStep,
        amount: Money,
    ) -> Result<(Self, Money), Refusal> {
        let Some(invoice) = known else {
            return match step {
                InvoiceStep::Issued => Ok((Self { issued: amount, ..Self::default() }, amount)),
                InvoiceStep::Returned | InvoiceStep::Paid => Err(Refusal::UnknownInvoice),
            };
        };
        let open = invoice.outstanding();
        let less = Money::ZERO.less(amount).ok_or(Refusal::BalanceOutOfRange)?;
        let add = |sum: Money| sum.plus(amount).ok_or(Refusal::BalanceOutOfRange);
        match step {
            InvoiceStep::Issued => Err(Refusal::InvoiceAlreadyIssued),
            _ if amount > open => Err(Refusal::InvoiceExceeded { open }),
            InvoiceStep::Returned => Ok((Self { returned: add(invoice.returned)?, ..invoice }, less)),
            InvoiceStep::Paid => Ok((Self { paid: add(invoice.paid)?, ..invoice }, less)),
        }
    }

    /// What is neither returned nor paid.
    ///
    /// # Panics
    /// Never for an invoice that facts built: it is never returned and paid beyond what was issued.
    #[must_use]
    pub fn outstanding(&self) -> Money {
        let settled = self.returned.plus(self.paid);
        settled.and_then(|settled| self.issued.less(settled)).expect("parts of an issued amount fit an i64")
    }
}

#[cfg(test)]
mod tests {
    use super::{Invoice, InvoiceStep};
    use crate::Money;

    #[test]
    fn r4_an_invoice_is_issued_once_and_settled_in_parts_up_to_its_amount() {
        for (steps, expected) in [
            ("issued 100", "100"),
            ("issued 100, returned 30", "70"),
            ("issued 100, returned 30, paid 70", "0"),
            ("issued 100, paid 100", "0"),
            ("issued 100, paid 40, paid 60", "0"),
            ("issued 100, issued 100", "invoice_already_issued"),
            ("returned 1", "unknown_invoice"),
            ("paid 1", "unknown_invoice"),
            ("issued 100, returned 101", "invoice_exceeded"),
            ("issued 100, returned 60, paid 41", "invoice_exceeded"),
            ("issued 100, paid 100, paid 1", "invoice_exceeded"),
        ] {
            assert_eq!(outstanding_after(steps), expected, "{steps}");
        }
    }

    fn outstanding_after(steps: &str) -> String {
        let mut known = None;
        let mut outstanding = 0;
        for step in steps.split(", ") {
            let (word, amount) = step.split_once(' ').unwrap();
            let step = match word {
                "issued" => InvoiceStep::Issued,
                "returned" => InvoiceStep::Returned,
                _ => InvoiceStep::Paid,
            };
            match Invoice::after(known, step, Money::from_minor(amount.parse().unwrap())) {
                Ok((invoice, change)) => {
                    outstanding += change.minor();
                    assert_eq!(invoice.outstanding().minor(), outstanding);
                    known = Some(invoice);
                }
                Err(refusal) => return refusal.code().to_owned(),
            }
        }
        outstanding.to_string()
    }
}
