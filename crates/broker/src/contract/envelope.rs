//! What every message has around its data: `CloudEvents` 1.0, structured JSON.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::amount::moment;
use super::problem::Problem;
use super::text::{Attribute, MessageId, Source, SpecVersion};
use super::{strict, typed};

/// The content type of every message of the contract.
pub const CONTENT_TYPE: &str = "application/cloudevents+json; charset=utf-8";

/// A message. `(source, id)` names it for ever: the same pair is the same message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Envelope<T> {
    /// Always 1.0.
    pub specversion: SpecVersion,
    /// Unique within the source.
    pub id: MessageId,
    /// Who says so.
    pub source: Source,
    /// The kind of message, such as `outflow.withdrawal.requested.v1`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Attribute>,
    /// When it was said.
    #[serde(with = "moment")]
    #[schemars(schema_with = "moment::schema")]
    pub time: DateTime<Utc>,
    /// The media type of the data: `application/json`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datacontenttype: Option<Attribute>,
    /// Where the schema of the data is described.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataschema: Option<Attribute>,
    /// The W3C trace that the message belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<Attribute>,
    /// What vendors add to the trace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracestate: Option<Attribute>,
    /// What is said.
    pub data: T,
}

/// Who sends and when: what a new message needs beside its data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// Who says so.
    pub source: Source,
    /// Unique within the source.
    pub id: MessageId,
    /// When.
    pub time: DateTime<Utc>,
}

impl<T> Envelope<T> {
    /// A new message of a `kind`, without the optional attributes.
    #[must_use]
    pub fn new(stamp: Stamp, kind: &str, data: T) -> Self {
        Self {
            specversion: SpecVersion,
            id: stamp.id,
            source: stamp.source,
            kind: kind.to_owned(),
            subject: None,
            time: stamp.time,
            datacontenttype: None,
            dataschema: None,
            traceparent: None,
            tracestate: None,
            data,
        }
    }

    /// The same message about a subject.
    #[must_use]
    pub fn about(self, subject: Attribute) -> Self {
        Self { subject: Some(subject), ..self }
    }

    /// The same attributes around what `read` makes of the data.
    pub(super) fn try_map<U, E>(self, read: impl FnOnce(T) -> Result<U, E>) -> Result<Envelope<U>, E> {
        Ok(Envelope {
            specversion: self.specversion,
            id: self.id,
            source: self.source,
            kind: self.kind,
            subject: self.subject,
            time: self.time,
            datacontenttype: self.datacontenttype,
            dataschema: self.dataschema,
            traceparent: self.traceparent,
            tracestate: self.tracestate,
            data: read(self.data)?,
        })
    }
}

impl<T: Serialize> Envelope<T> {
    /// The body of the message.
    ///
    /// # Panics
    /// Never for the types of the contract: they hold texts, numbers and lists.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("the types of the contract serialise")
    }
}

/// Reads the attributes; the data stay as they are.
pub(super) fn open(body: &[u8]) -> Result<Envelope<Value>, Problem> {
    typed::read(&strict::read(body)?, "")
}
