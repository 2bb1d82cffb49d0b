//! Bank details that come after the request (R11), and all that people tell
//! Outflow about a withdrawal that it has accepted.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::bank_account::PartialBankAccount;
use super::envelope::{Envelope, Stamp};
use super::problem::{Code, Problem};
use super::request::WithdrawalDecided;
use super::resolution::LegResolved;
use super::text::Actor;
use super::typed;

/// The receiving account of a withdrawal, given or changed after the request.
///
/// It becomes a version of its own: what it leaves out is not taken from the
/// version before, so that nobody pays into a mixture of two accounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WithdrawalDetails {
    /// The withdrawal.
    pub withdrawal_id: Uuid,
    /// The receiving account, with all five fields. An incomplete one is refused
    /// with the names of those that are missing.
    pub bank_account: PartialBankAccount,
    /// Who gives them.
    pub actor: Actor,
    /// The version that they replace, as the sender saw it: 0 when there was
    /// none. Left out, they replace whatever is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_version: Option<u32>,
}

impl WithdrawalDetails {
    /// Its type on the wire.
    pub const KIND: &str = "outflow.withdrawal.details.v1";

    /// The message that says so.
    #[must_use]
    pub fn into_message(self, stamp: Stamp) -> Envelope<Self> {
        Envelope::new(stamp, Self::KIND, self)
    }
}

/// What the queue of decisions takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Instruction {
    /// A decision.
    Decided(WithdrawalDecided),
    /// Bank details.
    Details(WithdrawalDetails),
    /// What became of a payment in manual review.
    Resolved(LegResolved),
}

impl Instruction {
    /// The withdrawal that it is about.
    #[must_use]
    pub const fn withdrawal_id(&self) -> Uuid {
        match self {
            Self::Decided(it) => it.withdrawal_id,
            Self::Details(it) => it.withdrawal_id,
            Self::Resolved(it) => it.withdrawal_id,
        }
    }

    /// Its data in their one canonical form.
    ///
    /// # Panics
    /// Never: it holds texts, words and a number.
    #[must_use]
    pub fn canonical(&self) -> Value {
        serde_json::to_value(self).expect("an instruction serialises")
    }
}

impl From<WithdrawalDecided> for Instruction {
    fn from(decided: WithdrawalDecided) -> Self {
        Self::Decided(decided)
    }
}

impl From<WithdrawalDetails> for Instruction {
    fn from(details: WithdrawalDetails) -> Self {
        Self::Details(details)
    }
}

impl From<LegResolved> for Instruction {
    fn from(resolved: LegResolved) -> Self {
        Self::Resolved(resolved)
    }
}

/// Reads a message of the queue of decisions: a decision, bank details, or what
/// became of a payment.
///
/// # Errors
/// A [`Problem`] that names the field and the rule.
pub fn parse_instruction(body: &[u8]) -> Result<Envelope<Instruction>, Problem> {
    let envelope = super::envelope::open(body)?;
    let kind = envelope.kind.clone();
    envelope.try_map(|data| match kind.as_str() {
        WithdrawalDecided::KIND => read::<WithdrawalDecided>(&data),
        WithdrawalDetails::KIND => read::<WithdrawalDetails>(&data),
        LegResolved::KIND => read::<LegResolved>(&data),
        _ => {
            let known = [WithdrawalDecided::KIND, WithdrawalDetails::KIND, LegResolved::KIND];
            let rule = format!("must be \"{}\"", known.join("\" or \""));
            Err(Problem::malformed(Code::UnknownType, "/type", rule))
        }
    })
}

fn read<T: serde::de::DeserializeOwned + Into<Instruction>>(data: &Value) -> Result<Instruction, Problem> {
    typed::read::<T>(data, "/data").map(Into::into)
}
