//! Events for one listener each: a message that was refused, for its sender; a
//! verification code, for whoever delivers it (R10).

use chrono::{DateTime, Utc};
use domain::{Currency, Route, WithdrawalState};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::amount::{Amount, moment};
use super::envelope::Envelope;
use super::problem::Problem;
use super::status::own_stamp;
use super::text::{Attribute, Identifier, MessageId, SealedCode, Source};
use super::word;

/// A decision or bank details that did not take effect. They changed nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MessageRefused {
    /// The message that was refused.
    pub message: MessageRef,
    /// The withdrawal that it names, whether or not there is one.
    pub withdrawal_id: Uuid,
    /// The state of that withdrawal; nothing where there is none.
    #[serde(default, with = "word::optional", skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "word::optional::schema::<WithdrawalState>")]
    pub state: Option<WithdrawalState>,
    /// Every reason, not only the first.
    pub reasons: Vec<Problem>,
}

/// A message by what names it for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MessageRef {
    /// Its source.
    pub source: Source,
    /// Its id.
    pub id: MessageId,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: Attribute,
}

/// A verification code was issued and is to be brought to the customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CodeIssued {
    /// The number under which the code is confirmed.
    pub code_id: Uuid,
    /// Whose money it is about, and to whom the code goes.
    pub account_id: Identifier,
    /// The request that it will prove.
    pub request_id: MessageId,
    /// How much will be asked for.
    pub amount: Amount,
    /// In which currency.
    #[serde(with = "word")]
    #[schemars(schema_with = "word::schema::<Currency>")]
    pub currency: Currency,
    /// By which route.
    #[serde(with = "word")]
    #[schemars(schema_with = "word::schema::<Route>")]
    pub route: Route,
    /// The code, sealed for whoever delivers it: in hexadecimal digits the length
    /// of the key's id, that id, a nonce of 12 bytes, and AES-256-GCM of the six
    /// digits with `verification_code:<code_id>` as additional data.
    pub sealed_code: SealedCode,
    /// The last moment at which it is of use. It must not be delivered later.
    #[serde(with = "moment")]
    #[schemars(schema_with = "moment::schema")]
    pub expires_at: DateTime<Utc>,
}

impl MessageRefused {
    /// Its type on the wire.
    pub const KIND: &str = "outflow.message.refused.v1";
    /// The routing key in the exchange of events.
    pub const ROUTING_KEY: &str = "message.refused";

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

impl CodeIssued {
    /// Its type on the wire.
    pub const KIND: &str = "outflow.verification.code_issued.v1";
    /// The routing key in the exchange of events.
    pub const ROUTING_KEY: &str = "verification.code_issued";

    /// The event, named after the code.
    ///
    /// # Panics
    /// Never: an account's number is a short text.
    #[must_use]
    pub fn into_message(self, time: DateTime<Utc>) -> Envelope<Self> {
        let subject = self.account_id.to_string();
        Envelope::new(own_stamp(&self.code_id.to_string(), time), Self::KIND, self)
            .about(subject.parse().expect("an identifier is a short text"))
    }
}
