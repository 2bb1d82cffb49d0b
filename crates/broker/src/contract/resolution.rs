//! What people found out about a payment that no machine can judge.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::envelope::{Envelope, Stamp};
use super::text::{Actor, Reason};

/// What became of a leg in manual review, said by one person with evidence.
///
/// It takes two people: the first proposes, and the leg moves when a second one
/// says the same. Neither may be who asked for the money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LegResolved {
    /// The withdrawal.
    pub withdrawal_id: Uuid,
    /// Its leg.
    pub leg_id: Uuid,
    /// What became of the payment.
    pub outcome: Fate,
    /// How the person knows: a line of a statement, the provider's written word.
    pub evidence: Reason,
    /// Who says it.
    pub actor: Actor,
}

/// What became of a payment.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, strum::Display, strum::EnumString,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Fate {
    /// The money left.
    Paid,
    /// It did not leave, and will not.
    NotPaid,
}

impl LegResolved {
    /// Its type on the wire.
    pub const KIND: &str = "outflow.leg.resolved.v1";

    /// The message that says so.
    #[must_use]
    pub fn into_message(self, stamp: Stamp) -> Envelope<Self> {
        Envelope::new(stamp, Self::KIND, self)
    }
}
