//! Status events: what became of a request, state by state (R13).

use chrono::{DateTime, Utc};
use domain::{Currency, LegState, Rail, Route, WithdrawalState};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;

use super::amount::{Amount, moment};
use super::answer::{CodeIssued, MessageRefused};
use super::attention::{ApprovalRequired, DeadlineAlert, WaitEnding};
use super::envelope::{Envelope, Stamp};
use super::problem::{Code, Problem};
use super::text::{EffectDigest, Identifier, MessageId, Source};
use super::typed::{self, broken};
use super::word;

/// The source of every message that the product sends.
pub const OWN_SOURCE: &str = "/outflow";

/// The message that asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestRef {
    /// Its source.
    pub source: Source,
    /// Its id.
    pub id: MessageId,
}

/// A withdrawal came into another state. Everything about it as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StatusChanged {
    /// The withdrawal.
    pub withdrawal_id: Uuid,
    /// The request that it answers.
    pub request: RequestRef,
    /// The account, as the request named it.
    pub account_id: Identifier,
    /// How much was asked for.
    pub amount: Amount,
    /// In which currency.
    #[serde(with = "word")]
    #[schemars(schema_with = "word::schema::<Currency>")]
    pub currency: Currency,
    /// By which route.
    #[serde(with = "word")]
    #[schemars(schema_with = "word::schema::<Route>")]
    pub route: Route,
    /// The state that it has now.
    #[serde(with = "word")]
    #[schemars(schema_with = "word::schema::<WithdrawalState>")]
    pub state: WithdrawalState,
    /// The state that it had; nothing for the first event.
    #[serde(default, with = "word::optional", skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "word::optional::schema::<WithdrawalState>")]
    pub previous_state: Option<WithdrawalState>,
    /// 1, 2, 3, … per withdrawal, without gap.
    pub sequence: u64,
    /// Why it was refused or stopped: every reason, not only the first.
    pub reasons: Vec<Problem>,
    /// The latest moment at which the money should be there (R7).
    #[serde(default, with = "moment::optional", skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "moment::optional::schema")]
    pub expected_by: Option<DateTime<Utc>>,
    /// Whether that moment reaches into a year whose calendar isn't known (R7b).
    pub provisional: bool,
    /// Until when it waits for bank details or for a decision.
    #[serde(default, with = "moment::optional", skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "moment::optional::schema")]
    pub expires_at: Option<DateTime<Utc>>,
    /// The digest that an approval must carry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect_digest: Option<EffectDigest>,
    /// Its legs as they are now.
    pub legs: Vec<LegStatus>,
}

/// A leg as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LegStatus {
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
    /// Its state. `rerouting`: its slice waits for bank details, unless another leg
    /// replaces it. `planned` in an approved withdrawal: it waits for an approval.
    #[serde(with = "word")]
    #[schemars(schema_with = "word::schema::<LegState>")]
    pub state: LegState,
    /// 1, and one more each time its slice took another way (R6c).
    pub generation: u32,
    /// The leg whose place it took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<Uuid>,
    /// The last code of its channel, or of the guard that did not send it, such as
    /// `window_closed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The top-up that it pays back.
    pub top_up_id: Identifier,
    /// The end of the receiving account's number; never more of it.
    #[serde(default, deserialize_with = "last_four", skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 4, max = 4))]
    pub payee_last_four: Option<String>,
    /// When it goes, or went, out.
    #[serde(default, with = "moment::optional", skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "moment::optional::schema")]
    pub dispatch_at: Option<DateTime<Utc>>,
    /// When the money should be there at the latest (R7).
    #[serde(default, with = "moment::optional", skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "moment::optional::schema")]
    pub deadline_at: Option<DateTime<Utc>>,
}

/// Reads the end of a number, and refuses a whole one.
fn last_four<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    match Option::<String>::deserialize(from)? {
        Some(text) if text.chars().count() != 4 => {
            Err(broken(Code::InvalidText, "must be the last four characters"))
        }
        fine => Ok(fine),
    }
}

/// A request came again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestRepeated {
    /// The withdrawal that answers the first one.
    pub withdrawal_id: Uuid,
    /// The message that came again.
    pub request: RequestRef,
    /// The state of the withdrawal.
    #[serde(with = "word")]
    #[schemars(schema_with = "word::schema::<WithdrawalState>")]
    pub state: WithdrawalState,
    /// Whether it said the same.
    pub verdict: Verdict,
    /// The fields in which it differs from the first one; they changed nothing.
    pub differing: Vec<String>,
}

/// What a repeat is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, strum::Display, strum::EnumString,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Verdict {
    /// The same request again.
    Same,
    /// Another request under the same id.
    Conflict,
}

/// What the product tells the world.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Event {
    /// A withdrawal changed its state.
    Status(Box<StatusChanged>),
    /// A request came again.
    Repeated(RequestRepeated),
    /// A decision or bank details did not take effect.
    Refused(MessageRefused),
    /// A verification code is to be delivered.
    CodeIssued(CodeIssued),
    /// A withdrawal waits for people.
    ApprovalRequired(ApprovalRequired),
    /// The time for details or a decision is almost over.
    WaitEnding(WaitEnding),
    /// A deadline is near or over.
    Deadline(DeadlineAlert),
}

impl StatusChanged {
    /// The routing key in the exchange of events.
    #[must_use]
    pub fn routing_key(&self) -> String {
        format!("withdrawal.{}", self.state)
    }

    /// The event, named after the withdrawal and its sequence.
    ///
    /// # Panics
    /// Never: a UUID and a number are a short text.
    #[must_use]
    pub fn into_message(self, time: DateTime<Utc>) -> Envelope<Self> {
        let kind = format!("outflow.withdrawal.{}.v1", self.state);
        let id = format!("{}:{}", self.withdrawal_id, self.sequence);
        let subject = self.withdrawal_id.to_string();
        Envelope::new(own_stamp(&id, time), &kind, self)
            .about(subject.parse().expect("a UUID is a short text"))
    }
}

impl RequestRepeated {
    /// Its type on the wire.
    pub const KIND: &str = "outflow.request.repeated.v1";
    /// The routing key in the exchange of events.
    pub const ROUTING_KEY: &str = "request.repeated";

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

pub(super) fn own_stamp(id: &str, time: DateTime<Utc>) -> Stamp {
    Stamp {
        source: OWN_SOURCE.parse().expect("our source is a URI reference"),
        id: id.parse().expect("our ids are short texts"),
        time,
    }
}

/// Reads an event of the product, as those who wait for one do.
///
/// # Errors
/// A [`Problem`] that names the field and the rule.
pub fn parse_event(body: &[u8]) -> Result<Envelope<Event>, Problem> {
    let envelope = super::envelope::open(body)?;
    let kind = envelope.kind.clone();
    envelope.try_map(|data| {
        match kind.as_str() {
            RequestRepeated::KIND => return typed::read(&data, "/data").map(Event::Repeated),
            MessageRefused::KIND => return typed::read(&data, "/data").map(Event::Refused),
            CodeIssued::KIND => return typed::read(&data, "/data").map(Event::CodeIssued),
            ApprovalRequired::KIND => return typed::read(&data, "/data").map(Event::ApprovalRequired),
            WaitEnding::KIND => return typed::read(&data, "/data").map(Event::WaitEnding),
            DeadlineAlert::WARNING | DeadlineAlert::BREACHED => {
                return typed::read(&data, "/data").map(Event::Deadline);
            }
            _ => {}
        }
        let status: StatusChanged = typed::read(&data, "/data")?;
        if kind == format!("outflow.withdrawal.{}.v1", status.state) {
            return Ok(Event::Status(Box::new(status)));
        }
        Err(Problem::malformed(Code::UnknownType, "/type", "is not an event of the contract"))
    })
}
