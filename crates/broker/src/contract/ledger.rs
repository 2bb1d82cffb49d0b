//! What facts say about invoices, usage and allocations.

use std::collections::HashSet;

use domain::{Currency, Money};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::account::version;
use super::amount::Amount;
use super::fact::Check;
use super::problem::{Code, Problem};
use super::text::Identifier;
use super::word;

/// An invoice that went out, came back or was settled (R4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Invoice {
    /// The account.
    pub account_id: Identifier,
    /// The place among the facts of the account.
    #[serde(deserialize_with = "version")]
    #[schemars(range(min = 1, max = 9_223_372_036_854_775_807_u64))]
    pub version: u64,
    /// The invoice.
    pub invoice_id: Identifier,
    /// How much of it went out, came back or was settled; more than zero.
    pub amount: Amount,
    /// The account's currency.
    #[serde(with = "word")]
    #[schemars(schema_with = "word::schema::<Currency>")]
    pub currency: Currency,
}

impl Check for Invoice {
    fn check(&self) -> Result<(), Problem> {
        self.amount.check_positive(self.currency, "/data/amount")
    }
}

/// The whole unbilled usage of an account as it is now: it replaces the value before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UsageUnbilled {
    /// The account.
    pub account_id: Identifier,
    /// The place among the facts of the account.
    #[serde(deserialize_with = "version")]
    #[schemars(range(min = 1, max = 9_223_372_036_854_775_807_u64))]
    pub version: u64,
    /// The absolute value; zero is possible.
    pub amount: Amount,
    /// The account's currency.
    #[serde(with = "word")]
    #[schemars(schema_with = "word::schema::<Currency>")]
    pub currency: Currency,
}

impl Check for UsageUnbilled {
    fn check(&self) -> Result<(), Problem> {
        self.amount.check(self.currency, "/data/amount")
    }
}

/// Usage that was billed and consumes top-ups, oldest first unless it names them (R9b).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UsageBilled {
    /// The account.
    pub account_id: Identifier,
    /// The place among the facts of the account.
    #[serde(deserialize_with = "version")]
    #[schemars(range(min = 1, max = 9_223_372_036_854_775_807_u64))]
    pub version: u64,
    /// The bill.
    pub bill_id: Identifier,
    /// How much, more than zero.
    pub amount: Amount,
    /// The account's currency.
    #[serde(with = "word")]
    #[schemars(schema_with = "word::schema::<Currency>")]
    pub currency: Currency,
    /// Which top-ups it consumed. Their amounts add up to the bill's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1000))]
    pub slices: Option<Vec<Slice>>,
}

impl Check for UsageBilled {
    fn check(&self) -> Result<(), Problem> {
        self.amount.check_positive(self.currency, "/data/amount")?;
        let Some(slices) = &self.slices else { return Ok(()) };
        let refuse = |detail| Err(Problem::malformed(Code::InconsistentFields, "/data/slices", detail));
        let mut sum = Money::ZERO;
        let mut seen = HashSet::new();
        for (index, slice) in slices.iter().enumerate() {
            slice.amount.check_positive(self.currency, &format!("/data/slices/{index}/amount"))?;
            if !seen.insert(&slice.top_up_id) {
                return refuse("names a top-up twice");
            }
            sum = sum.plus(slice.amount.money(self.currency)).unwrap_or(Money::from_minor(i64::MAX));
        }
        if sum == self.amount.money(self.currency) { Ok(()) } else { refuse("must add up to the amount") }
    }
}

/// A part of a bill, and the top-up that it consumed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Slice {
    /// The top-up.
    pub top_up_id: Identifier,
    /// How much of it, more than zero.
    pub amount: Amount,
}

/// Money that a master gave to a member. The account is the master (R5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AllocationGranted {
    /// The account.
    pub account_id: Identifier,
    /// The place among the facts of the account.
    #[serde(deserialize_with = "version")]
    #[schemars(range(min = 1, max = 9_223_372_036_854_775_807_u64))]
    pub version: u64,
    /// The allocation.
    pub allocation_id: Identifier,
    /// The member.
    pub member_account_id: Identifier,
    /// How much, more than zero.
    pub amount: Amount,
    /// The account's currency.
    #[serde(with = "word")]
    #[schemars(schema_with = "word::schema::<Currency>")]
    pub currency: Currency,
}

impl Check for AllocationGranted {
    fn check(&self) -> Result<(), Problem> {
        if self.member_account_id == self.account_id {
            let detail = "must be another account than the master itself";
            return Err(Problem::malformed(Code::InconsistentFields, "/data/member_account_id", detail));
        }
        self.amount.check_positive(self.currency, "/data/amount")
    }
}

/// Whether an allocation is invoiced now, and so cannot be taken back (R5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AllocationInvoiced {
    /// The account.
    pub account_id: Identifier,
    /// The place among the facts of the account.
    #[serde(deserialize_with = "version")]
    #[schemars(range(min = 1, max = 9_223_372_036_854_775_807_u64))]
    pub version: u64,
    /// The allocation.
    pub allocation_id: Identifier,
    /// Whether it is.
    pub invoiced: bool,
}

impl Check for AllocationInvoiced {}

/// Money that a master took back from a member (R5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AllocationReclaimed {
    /// The account.
    pub account_id: Identifier,
    /// The place among the facts of the account.
    #[serde(deserialize_with = "version")]
    #[schemars(range(min = 1, max = 9_223_372_036_854_775_807_u64))]
    pub version: u64,
    /// The allocation.
    pub allocation_id: Identifier,
    /// How much, more than zero.
    pub amount: Amount,
    /// The account's currency.
    #[serde(with = "word")]
    #[schemars(schema_with = "word::schema::<Currency>")]
    pub currency: Currency,
}

impl Check for AllocationReclaimed {
    fn check(&self) -> Result<(), Problem> {
        self.amount.check_positive(self.currency, "/data/amount")
    }
}
