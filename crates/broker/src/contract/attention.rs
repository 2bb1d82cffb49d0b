//! Events for whoever must do something: an approval is needed, a wait ends soon,
//! a deadline is near or over.
//!
//! They tell no move of a withdrawal, so that they have no sequence of their own.

use chrono::{DateTime, Utc};
use domain::{ApprovalRule, Currency, LegState, Rail, Route, WithdrawalState};
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

/// Nobody gave details or decided, and the time for it is almost over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WaitEnding {
    /// The withdrawal.
    pub withdrawal_id: Uuid,
    /// Whose money.
    pub account_id: Identifier,
    /// What it waits for, such as `pending_approval`.
    #[serde(with = "word")]
    #[schemars(schema_with = "word::schema::<WithdrawalState>")]
    pub state: WithdrawalState,
    /// When it expires.
    #[serde(with = "moment")]
    #[schemars(schema_with = "moment::schema")]
    pub expires_at: DateTime<Utc>,
}

/// A leg whose money is not there, and whose deadline is near or over (R7).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeadlineAlert {
    /// The withdrawal.
    pub withdrawal_id: Uuid,
    /// The leg.
    pub leg_id: Uuid,
    /// The number under which the gateway knows the payment.
    pub payout_no: String,
    /// Who carries it.
    #[serde(with = "word")]
    #[schemars(schema_with = "word::schema::<Rail>")]
    pub rail: Rail,
    /// How much.
    pub amount: Amount,
    /// In which currency.
    #[serde(with = "word")]
    #[schemars(schema_with = "word::schema::<Currency>")]
    pub currency: Currency,
    /// Where the leg stands.
    #[serde(with = "word")]
    #[schemars(schema_with = "word::schema::<LegState>")]
    pub state: LegState,
    /// The deadline.
    #[serde(with = "moment")]
    #[schemars(schema_with = "moment::schema")]
    pub deadline_at: DateTime<Utc>,
    /// Whether it reaches into a year whose calendar isn't known (R7b).
    pub provisional: bool,
}

/// What an alert about a deadline says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lateness {
    /// It is near.
    Near,
    /// It is over.
    Over,
}

impl ApprovalRequired {
    /// Its type on the wire.
    pub const KIND: &str = "outflow.approval.required.v1";
    /// The routing key in the exchange of events.
    pub const ROUTING_KEY: &str = "approval.required";

    /// The event. `id` is unique among the product's messages.
    #[must_use]
    pub fn into_message(self, id: Uuid, time: DateTime<Utc>) -> Envelope<Self> {
        let withdrawal = self.withdrawal_id;
        about(withdrawal, (id, time), Self::KIND, self)
    }
}

impl WaitEnding {
    /// Its type on the wire.
    pub const KIND: &str = "outflow.wait.ending.v1";
    /// The routing key in the exchange of events.
    pub const ROUTING_KEY: &str = "wait.ending";

    /// The event.
    #[must_use]
    pub fn into_message(self, id: Uuid, time: DateTime<Utc>) -> Envelope<Self> {
        let withdrawal = self.withdrawal_id;
        about(withdrawal, (id, time), Self::KIND, self)
    }
}

impl DeadlineAlert {
    /// The type of a warning on the wire.
    pub const WARNING: &str = "outflow.deadline.warning.v1";
    /// The type of a missed deadline on the wire.
    pub const BREACHED: &str = "outflow.deadline.breached.v1";

    /// The routing key in the exchange of events.
    #[must_use]
    pub const fn routing_key(lateness: Lateness) -> &'static str {
        match lateness {
            Lateness::Near => "deadline.warning",
            Lateness::Over => "deadline.breached",
        }
    }

    /// The event.
    #[must_use]
    pub fn into_message(self, lateness: Lateness, id: Uuid, time: DateTime<Utc>) -> Envelope<Self> {
        let withdrawal = self.withdrawal_id;
        let kind = match lateness {
            Lateness::Near => Self::WARNING,
            Lateness::Over => Self::BREACHED,
        };
        about(withdrawal, (id, time), kind, self)
    }
}

fn about<T>(withdrawal: Uuid, (id, time): (Uuid, DateTime<Utc>), kind: &str, data: T) -> Envelope<T> {
    let subject = withdrawal.to_string();
    Envelope::new(own_stamp(&id.to_string(), time), kind, data)
        .about(subject.parse().expect("a UUID is a short text"))
}
