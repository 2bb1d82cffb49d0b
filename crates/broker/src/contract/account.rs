//! What facts say about accounts and their top-ups.

use chrono::{DateTime, Utc};
use domain::{Channel, Currency};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::amount::{Amount, moment};
use super::bank_account::BankAccount;
use super::fact::Check;
use super::problem::{Code, Problem};
use super::text::{Identifier, Name, TradeNo};
use super::typed::broken;
use super::word;

/// A version: 1 or more, and no more than the database counts.
pub(super) fn version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let version = u64::deserialize(deserializer)?;
    if (1..=i64::MAX.unsigned_abs()).contains(&version) {
        return Ok(version);
    }
    Err(broken(Code::InvalidValue, "must be a whole number, 1 or more"))
}

/// A person or an enterprise.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, strum::Display, strum::EnumString,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum AccountKind {
    /// A natural person.
    Person,
    /// A company or another organisation.
    Enterprise,
}

/// How an account is tied to a partner.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, strum::Display, strum::EnumString,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum PartnerMode {
    /// Not at all.
    None,
    /// The partner pays in advance: nothing can be withdrawn (R2).
    AdvancePayment,
    /// In another way, which forbids nothing.
    Other,
}

/// An account as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountUpserted {
    /// The account.
    pub account_id: Identifier,
    /// The place among the facts of the account.
    #[serde(deserialize_with = "version")]
    #[schemars(range(min = 1, max = 9_223_372_036_854_775_807_u64))]
    pub version: u64,
    /// The only currency that it holds.
    #[serde(with = "word")]
    #[schemars(schema_with = "word::schema::<Currency>")]
    pub currency: Currency,
    /// A person or an enterprise.
    pub kind: AccountKind,
    /// The real-name identity, with which card holders are compared (R12).
    pub real_name: Name,
    /// Whether the identity was verified (R14).
    pub real_name_verified: bool,
    /// How it is tied to a partner (R2).
    pub partner_mode: PartnerMode,
    /// The enterprise master whose member it is (R5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub master_account_id: Option<Identifier>,
    /// Who the contract is with; windows may differ by it (R6).
    #[serde(default = "default_entity")]
    pub contract_entity: Identifier,
    /// Whether the contract forbids refunds (R15).
    #[serde(default)]
    pub refunds_forbidden: bool,
}

fn default_entity() -> Identifier {
    "default".parse().expect("a word of letters is an identifier")
}

impl Check for AccountUpserted {
    fn check(&self) -> Result<(), Problem> {
        if self.master_account_id.as_ref() == Some(&self.account_id) {
            let detail = "must be another account than the member itself";
            return Err(Problem::malformed(Code::InconsistentFields, "/data/master_account_id", detail));
        }
        Ok(())
    }
}

/// A top-up that was credited to an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TopUpCredited {
    /// The account.
    pub account_id: Identifier,
    /// The place among the facts of the account.
    #[serde(deserialize_with = "version")]
    #[schemars(range(min = 1, max = 9_223_372_036_854_775_807_u64))]
    pub version: u64,
    /// The top-up.
    pub top_up_id: Identifier,
    /// How it arrived.
    #[serde(with = "word")]
    #[schemars(schema_with = "word::schema::<Channel>")]
    pub channel: Channel,
    /// How much, more than zero.
    pub amount: Amount,
    /// The account's currency.
    #[serde(with = "word")]
    #[schemars(schema_with = "word::schema::<Currency>")]
    pub currency: Currency,
    /// When it was credited. Windows and LIFO count from it (R6b, R9).
    #[serde(with = "moment")]
    #[schemars(schema_with = "moment::schema")]
    pub arrived_at: DateTime<Utc>,
    /// When the channel took it. The channel's own limits count from it (R6b).
    #[serde(default, with = "moment::optional", skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "moment::optional::schema")]
    pub channel_paid_at: Option<DateTime<Utc>>,
    /// The channel's number of the payment. Required unless it is a bank transfer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trade_no: Option<TradeNo>,
    /// Our number of the payment at the channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub out_trade_no: Option<TradeNo>,
    /// Whose wallet paid (R12).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payer_name: Option<Name>,
    /// Where it came from. Required for a bank transfer, and only then (R8).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bank_account: Option<BankAccount>,
    /// Whether it earned a bonus or a cash coupon (R3).
    pub bonus: bool,
    /// Who the contract was with; the account's entity when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract_entity: Option<Identifier>,
}

impl Check for TopUpCredited {
    fn check(&self) -> Result<(), Problem> {
        self.amount.check_positive(self.currency, "/data/amount")?;
        let transfer = self.channel == Channel::BankTransfer;
        let refuse = |code, pointer: &str, detail: &str| Err(Problem::malformed(code, pointer, detail));
        match (transfer, &self.trade_no, &self.bank_account) {
            (false, None, _) => refuse(
                Code::MissingField,
                "/data/trade_no",
                "is missing; every channel but a bank transfer has one",
            ),
            (true, _, None) => {
                refuse(Code::MissingField, "/data/bank_account", "is missing; a bank transfer came from one")
            }
            (false, _, Some(_)) => refuse(
                Code::InconsistentFields,
                "/data/bank_account",
                "belongs to top-ups by bank transfer only",
            ),
            _ => Ok(()),
        }
    }
}

/// The bonus mark of a top-up, as it is now (R3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TopUpBonusChanged {
    /// The account.
    pub account_id: Identifier,
    /// The place among the facts of the account.
    #[serde(deserialize_with = "version")]
    #[schemars(range(min = 1, max = 9_223_372_036_854_775_807_u64))]
    pub version: u64,
    /// The top-up.
    pub top_up_id: Identifier,
    /// Whether it has a bonus or a cash coupon now.
    pub bonus: bool,
}

impl Check for TopUpBonusChanged {}
