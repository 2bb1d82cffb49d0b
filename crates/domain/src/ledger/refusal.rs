//! Why a fact cannot be applied.

use strum::{IntoStaticStr, VariantNames};

use crate::Money;

/// A fact that contradicts what is known. Nothing of it was applied.
///
/// The upstream has to send a corrected fact with the same version; until then
/// the account's later facts wait, because they may build upon it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, IntoStaticStr, VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum Refusal {
    /// The first fact of an account must tell who it is.
    #[error("the account is not known: its first fact must be outflow.account.upserted.v1")]
    UnknownAccount,
    /// R16: the currency is not the account's.
    #[error("the currency is not the account's")]
    CurrencyMismatch,
    /// R16: an amount must be more than nothing.
    #[error("the amount must be more than nothing")]
    AmountNotPositive,
    /// The balance would leave the range that can be counted.
    #[error("the balance would become too large to be counted")]
    BalanceOutOfRange,
    /// The account has no such top-up.
    #[error("the account has no such top-up")]
    UnknownTopUp,
    /// The top-up was credited before, by another fact.
    #[error("the top-up was credited before, by another fact")]
    TopUpAlreadyCredited,
    /// The account has no such invoice.
    #[error("the account has no such invoice")]
    UnknownInvoice,
    /// The invoice was issued before, by another fact.
    #[error("the invoice was issued before, by another fact")]
    InvoiceAlreadyIssued,
    /// R4: more would be returned and paid than was issued.
    #[error("more would be returned and paid than was issued; {} is open, in minor units", .open.minor())]
    InvoiceExceeded {
        /// What is neither returned nor paid.
        open: Money,
    },
    /// R9b: less is free than is to be taken.
    #[error("{} is free, in minor units, and {} is to be taken", .free.minor(), .asked.minor())]
    NotEnoughRemaining {
        /// What is to be taken.
        asked: Money,
        /// What is free. Held, allocated and spent money is not.
        free: Money,
    },
    /// R9b: the named slices do not add up to the amount.
    #[error("the named slices do not add up to the amount")]
    SlicesDoNotAddUp,
    /// The account has no such allocation.
    #[error("the account has no such allocation")]
    UnknownAllocation,
    /// The allocation was granted before, by another fact.
    #[error("the allocation was granted before, by another fact")]
    AllocationAlreadyGranted,
    /// R5: an allocation that was invoiced cannot be reclaimed.
    #[error("an allocation that was invoiced cannot be reclaimed")]
    AllocationInvoiced,
    /// R5: more would be reclaimed than the member has.
    #[error("more would be reclaimed than was granted; {} is left, in minor units", .left.minor())]
    AllocationExceeded {
        /// What was granted and not reclaimed.
        left: Money,
    },
    /// The account's total and its slices differ: no rule can be trusted on it.
    #[error("the account's total differs from the sum of its top-ups")]
    TotalsDiffer,
}

impl Refusal {
    /// The stable name, for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.into()
    }
}
