//! The event for approvers: a withdrawal waits for them, and why.
//!
//! It tells no move of a withdrawal, so that it has no sequence of its own.

use chrono::{DateTime, Utc};
use domain::{ApprovalRule, Currency, Route};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::amount::{Amount, moment};
use super::envelope::Envelope;
use super::status::own_stamp;
use super::text::{EffectDigest, Identifier};
use super::word;

/// A withdrawal waits for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApprovalRequired {
    /// The withdrawal.
    pub withdrawal_id: Uuid,
    /// Whose money.
    pub account_id: Identifier,
    /// How much.
    pub amount: Amount,
    /// In which currency.
    #[serde(with = "word")]
    #[schemars(schema_with = "word::schema::<Currency>")]
    pub currency: Currency,
    /// By which route.
    #[serde(with = "word")]
    #[schemars(schema_with = "word::schema::<Route>")]
    pub route: Route,
    /// Distinct people who must approve it, the requester not among them.
    pub people: u32,
    /// What each rule said, the strictest first.
    pub demands: Vec<ApprovalDemand>,
    /// The digest that an approval must carry.
    pub effect_digest: EffectDigest,
    /// When it expires if nobody decides.
    #[serde(default, with = "moment::optional", skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "moment::optional::schema")]
    pub expires_at: Option<DateTime<Utc>>,
}

/// What one rule demands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApprovalDemand {
    /// The rule.
    #[serde(with = "word")]
    #[schemars(schema_with = "word::schema::<ApprovalRule>")]
    pub rule: ApprovalRule,
    /// So many people; none: the rule is content.
    pub people: u32,
    /// Why, for people.
    pub why: String,
}

impl ApprovalRequired {
    /// Its type on the wire.
    pub const KIND: &str = "outflow.approval.required.v1";
    /// The routing key in the exchange of events.
    pub const ROUTING_KEY: &str = "approval.required";

    /// The event. `id` is unique among the product's messages.
    ///
    /// # Panics
    /// Never: a UUID is a short text.
    #[must_use]
    pub fn into_message(self, id: Uuid, time: DateTime<Utc>) -> Envelope<Self> {
        let subject = self.withdrawal_id.to_string();
        Envelope::new(own_stamp(&id.to_string(), time), Self::KIND, self)
            .about(subject.parse().expect("a UUID is a short text"))
    }
}
