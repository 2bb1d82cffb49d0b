//! Account facts, reduced to what the rules look at.

use chrono::{DateTime, Utc};
use strum::{Display, EnumString, IntoStaticStr};

use crate::{Currency, Money};

/// Something that happened to an account, told by its upstream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// The account was opened or its particulars changed.
    Upserted(Profile),
    /// A top-up arrived.
    Credited(Credit),
    /// R3: the mark of a top-up was set or cleared.
    BonusChanged {
        /// The top-up.
        top_up_id: String,
        /// Whether it counts as earned by a bonus from now on.
        bonus: bool,
    },
    /// R4: something happened to an invoice.
    Invoice {
        /// The invoice.
        invoice_id: String,
        /// What happened.
        step: InvoiceStep,
        /// How much of it.
        sum: Sum,
    },
    /// R1: usage that is not billed yet, as an absolute amount.
    Unbilled(Sum),
    /// R9b: usage was billed.
    Billed {
        /// How much.
        sum: Sum,
        /// The slices that pay; empty means oldest first.
        parts: Vec<Part>,
    },
    /// R5: money was given to an enterprise member.
    Granted {
        /// The allocation.
        allocation_id: String,
        /// Who got it.
        member_account_id: String,
        /// How much.
        sum: Sum,
    },
    /// R5: the allocation was invoiced, or the invoice was cleared.
    AllocationInvoiced {
        /// The allocation.
        allocation_id: String,
        /// Whether an invoice binds it from now on.
        invoiced: bool,
    },
    /// R5: money came back from an enterprise member.
    Reclaimed {
        /// The allocation.
        allocation_id: String,
        /// How much.
        sum: Sum,
    },
}

/// An amount with the currency it was told in, which must be the account's (R16).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sum {
    /// Minor units.
    pub amount: Money,
    /// The currency of the fact.
    pub currency: Currency,
}

/// Whether an account belongs to a person or an enterprise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum AccountKind {
    /// A natural person.
    Person,
    /// A company.
    Enterprise,
}

/// The particulars of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// The currency of all its money; never changes.
    pub currency: Currency,
    /// Whose it is.
    pub kind: AccountKind,
    /// R12: the authenticated name.
    pub real_name: String,
    /// R14: the name was authenticated.
    pub real_name_verified: bool,
    /// R2: tied to a partner in advance-payment mode.
    pub advance_payment: bool,
    /// R5: the master of an enterprise member.
    pub master_account_id: Option<String>,
    /// R6: windows can differ by it.
    pub contract_entity: String,
    /// R15: the contract forbids refunds.
    pub refunds_forbidden: bool,
}

/// A top-up that arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credit {
    /// The upstream's number; unique within the account.
    pub top_up_id: String,
    /// How much.
    pub sum: Sum,
    /// R6b: credit time.
    pub arrived_at: DateTime<Utc>,
    /// R3: it earned a bonus or a cash coupon.
    pub bonus: bool,
}

/// What can happen to an invoice (R4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvoiceStep {
    /// It was written: withdrawable money becomes less.
    Issued,
    /// A part of it, or all, was taken back.
    Returned,
    /// A part of it, or all, was paid.
    Paid,
}

/// A named slice and what it pays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The top-up.
    pub top_up_id: String,
    /// How much of it.
    pub amount: Money,
}
