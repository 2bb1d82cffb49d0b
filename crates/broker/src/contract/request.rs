//! Withdrawal requests, and what people decide about them.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use domain::{Currency, Route};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use uuid::Uuid;

use super::amount::{Amount, moment};
use super::bank_account::PartialBankAccount;
use super::envelope::{Envelope, Stamp};
use super::fact::Check;
use super::problem::{Code, Problem};
use super::text::{Actor, EffectDigest, Identifier, Reason, Token};
use super::typed::{self, broken};
use super::word;

/// Top-ups that one request may name.
const MOST_TRANSACTIONS: usize = 100;

/// A request to withdraw money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WithdrawalRequested {
    /// The account.
    pub account_id: Identifier,
    /// How much, more than zero.
    pub amount: Amount,
    /// Must be the account's.
    #[serde(with = "word")]
    #[schemars(schema_with = "word::schema::<Currency>")]
    pub currency: Currency,
    /// To the source, or to a bank card.
    #[serde(with = "word")]
    #[schemars(schema_with = "word::schema::<Route>")]
    pub route: Route,
    /// From which top-ups. Required for the bank-card route; missing means `auto`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transactions: Option<Transactions>,
    /// The receiving account. What is missing in it is asked for later (R11).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bank_account: Option<PartialBankAccount>,
    /// Who asks. Cannot approve it.
    pub requester: Actor,
    /// When.
    #[serde(with = "moment")]
    #[schemars(schema_with = "moment::schema")]
    pub requested_at: DateTime<Utc>,
    /// The proof that the verification code was entered (R10).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verification: Option<Token>,
}

/// From which top-ups a withdrawal takes its money, newest first (R9).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transactions {
    /// From all that are eligible.
    Auto,
    /// From these alone, 1 to 100, each named once.
    Chosen(Vec<Identifier>),
}

/// A person's decision about a withdrawal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WithdrawalDecided {
    /// The withdrawal.
    pub withdrawal_id: Uuid,
    /// What was decided.
    pub decision: Decision,
    /// Who decided.
    pub actor: Actor,
    /// Why.
    pub reason: Reason,
    /// The effect that the person saw. A decision about another effect is void.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect_digest: Option<EffectDigest>,
}

/// What a person can decide.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, strum::Display, strum::EnumString,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Decision {
    /// Pay it.
    Approve,
    /// Refuse it.
    Deny,
    /// The requester takes it back.
    Cancel,
    /// Stop what was not sent yet, until it is released.
    Hold,
    /// Let it go on from where it was held.
    Release,
}

/// Reads a message of the queue of requests.
///
/// # Errors
/// A [`Problem`] that names the field and the rule.
pub fn parse_request(body: &[u8]) -> Result<Envelope<WithdrawalRequested>, Problem> {
    let envelope = super::envelope::open(body)?;
    let kind = WithdrawalRequested::KIND;
    if envelope.kind != kind {
        return Err(Problem::malformed(Code::UnknownType, "/type", format!("must be \"{kind}\"")));
    }
    envelope.try_map(|data| {
        let data: WithdrawalRequested = typed::read(&data, "/data")?;
        data.check().map(|()| data)
    })
}

impl WithdrawalRequested {
    /// Its type on the wire.
    pub const KIND: &str = "outflow.withdrawal.requested.v1";

    /// The message that says so.
    #[must_use]
    pub fn into_message(self, stamp: Stamp) -> Envelope<Self> {
        Envelope::new(stamp, Self::KIND, self)
    }

    /// The request in its one canonical form: equal requests have equal forms,
    /// however their amounts, moments and omissions were written.
    ///
    /// # Panics
    /// Never: a request holds texts, words and lists.
    #[must_use]
    pub fn canonical(&self) -> Value {
        let amount = Amount::new(self.amount.money(self.currency), self.currency);
        let transactions = self.transactions.clone().or(Some(Transactions::Auto));
        let same = Self { amount, transactions, ..self.clone() };
        serde_json::to_value(same).expect("a request serialises")
    }
}

impl WithdrawalDecided {
    /// Its type on the wire.
    pub const KIND: &str = "outflow.withdrawal.decided.v1";

    /// The message that says so.
    #[must_use]
    pub fn into_message(self, stamp: Stamp) -> Envelope<Self> {
        Envelope::new(stamp, Self::KIND, self)
    }
}

impl Check for WithdrawalRequested {
    fn check(&self) -> Result<(), Problem> {
        self.amount.check_positive(self.currency, "/data/amount")?;
        if self.route == Route::BankCard && self.transactions.is_none() {
            let detail = "is missing; the bank-card route names its transactions, or says \"auto\"";
            return Err(Problem::malformed(Code::MissingField, "/data/transactions", detail).by_rule("R9"));
        }
        Ok(())
    }
}

impl Serialize for Transactions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Auto => serializer.serialize_str("auto"),
            Self::Chosen(ids) => ids.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Transactions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TransactionsText)
    }
}

/// Takes the word or the list.
struct TransactionsText;

impl<'de> serde::de::Visitor<'de> for TransactionsText {
    type Value = Transactions;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("\"auto\" or a list of identifiers of top-ups")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Transactions, E> {
        if text == "auto" {
            return Ok(Transactions::Auto);
        }
        Err(broken(Code::InvalidValue, "must be \"auto\" or a list of identifiers of top-ups"))
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut list: A) -> Result<Transactions, A::Error> {
        let mut ids: Vec<Identifier> = Vec::new();
        while let Some(id) = list.next_element()? {
            if ids.len() == MOST_TRANSACTIONS {
                return Err(broken(Code::InvalidValue, "must name 100 top-ups at most"));
            }
            ids.push(id);
        }
        if ids.is_empty() {
            return Err(broken(Code::InvalidValue, "must name a top-up, or be \"auto\""));
        }
        if ids.iter().collect::<HashSet<_>>().len() < ids.len() {
            return Err(broken(Code::InvalidValue, "names a top-up twice"));
        }
        Ok(Transactions::Chosen(ids))
    }
}

impl JsonSchema for Transactions {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Transactions".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let id = generator.subschema_for::<Identifier>();
        json_schema!({ "oneOf": [
            { "type": "string", "const": "auto" },
            { "type": "array", "items": id, "minItems": 1, "maxItems": MOST_TRANSACTIONS, "uniqueItems": true }
        ]})
    }
}
