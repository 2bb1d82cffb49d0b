//! Bank accounts: complete ones of top-ups, and the perhaps incomplete ones of
//! requests (R11).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::problem::Problem;
use super::text::{AccountNumber, Cnaps, Name};
use super::typed;

/// A bank account with all that a bank needs to pay into it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BankAccount {
    /// Whose it is.
    pub holder: Name,
    /// Its number. Debug shows the last four characters only.
    pub number: AccountNumber,
    /// The bank.
    pub bank_name: Name,
    /// The branch.
    pub branch: Name,
    /// The branch's CNAPS code.
    pub cnaps: Cnaps,
}

/// What a request says about the receiving account. Every field may be missing:
/// an incomplete account makes the withdrawal wait, it doesn't refuse it (R11).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PartialBankAccount {
    /// Whose it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<Name>,
    /// Its number. Debug shows the last four characters only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<AccountNumber>,
    /// The bank.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bank_name: Option<Name>,
    /// The branch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<Name>,
    /// The branch's CNAPS code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cnaps: Option<Cnaps>,
}

impl PartialBankAccount {
    /// The account, when nothing is missing.
    #[must_use]
    pub fn complete(&self) -> Option<BankAccount> {
        Some(BankAccount {
            holder: self.holder.clone()?,
            number: self.number.clone()?,
            bank_name: self.bank_name.clone()?,
            branch: self.branch.clone()?,
            cnaps: self.cnaps.clone()?,
        })
    }

    /// The names of the fields that are missing.
    #[must_use]
    pub fn missing(&self) -> Vec<&'static str> {
        [
            ("holder", self.holder.is_none()),
            ("number", self.number.is_none()),
            ("bank_name", self.bank_name.is_none()),
            ("branch", self.branch.is_none()),
            ("cnaps", self.cnaps.is_none()),
        ]
        .into_iter()
        .filter_map(|(field, missing)| missing.then_some(field))
        .collect()
    }
}

/// Reads one bank account that stands alone, as people write it into a file.
///
/// # Errors
/// A [`Problem`] that names the field and the rule, and repeats no value.
pub fn parse_bank_account(value: &Value) -> Result<PartialBankAccount, Problem> {
    typed::read(value, "")
}
