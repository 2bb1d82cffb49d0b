//! The bank: how much may go to it at once.

use domain::Money;
use schemars::JsonSchema;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use super::policy::{amount, amount_text};

/// The table `[bank]`.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct BankSettings {
    /// The largest total of a bank day; a run that would pass it waits for people.
    #[serde(deserialize_with = "amount", serialize_with = "amount_text")]
    #[schemars(with = "String")]
    pub(crate) daily_total: Money,
    /// The most transfers in one file.
    #[serde(deserialize_with = "transfers")]
    pub(crate) file_transfers: u16,
}

impl Default for BankSettings {
    fn default() -> Self {
        let workers::BankRules { daily_total, file_transfers, .. } = workers::BankRules::default();
        Self { daily_total, file_transfers }
    }
}

/// The report on a file of that many transfers still fits into what is read of an answer.
const TRANSFERS_MAX: u16 = 2_000;

fn transfers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u16, D::Error> {
    let count = u16::deserialize(deserializer)?;
    if (1..=TRANSFERS_MAX).contains(&count) {
        return Ok(count);
    }
    Err(D::Error::custom(format!("expected 1 to {TRANSFERS_MAX} transfers, not {count}")))
}
