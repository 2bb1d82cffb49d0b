//! What is wrong with a message or a request, as RFC 9457 problem details.
//!
//! One object serves all three places in which a sender meets a refusal: the
//! status event, the HTTP answer and the header of a dead letter. Details never
//! repeat the offending value, because it may be a bank account number.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumIter, EnumString, IntoStaticStr};

/// Where the types of problems are described. A stable name, not a place to fetch from.
const TYPES: &str = "https://outflow.example/problems/";

/// What can be wrong with the form of a message. The text form is stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Display, EnumString, EnumIter, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Code {
    /// More bytes than [`super::BODY_LIMIT_BYTES`].
    BodyTooLarge,
    /// Not one JSON document in UTF-8.
    NotJson,
    /// More levels than [`super::DEPTH_LIMIT`].
    TooDeep,
    /// A key occurs twice in one object.
    DuplicateField,
    /// A NUL or another control character in a text or a key.
    ControlCharacter,
    /// A field that the contract doesn't know.
    UnknownField,
    /// A field that the contract demands.
    MissingField,
    /// Another JSON type than the contract says.
    WrongType,
    /// Not an amount (R16).
    InvalidAmount,
    /// Not a currency that the product holds.
    InvalidCurrency,
    /// Not an identifier.
    InvalidId,
    /// A text that is too short, too long or has characters outside its grammar.
    InvalidText,
    /// Not a moment in RFC 3339 with an offset.
    InvalidTime,
    /// A number outside its range, or a word outside its list.
    InvalidValue,
    /// Fields that are fine alone and contradict each other.
    InconsistentFields,
    /// A message type that the queue doesn't take.
    UnknownType,
    /// Another version of `CloudEvents` than 1.0.
    UnsupportedSpecversion,
}

impl Code {
    /// The HTTP status that fits: 413 for size, 400 for syntax, 422 for meaning.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::BodyTooLarge => 413,
            Self::NotJson | Self::TooDeep | Self::DuplicateField | Self::ControlCharacter => 400,
            _ => 422,
        }
    }
}

/// One reason why something was refused, in the form of RFC 9457.
///
/// The texts are boxed because a `Result` is as large as its larger half, and
/// nearly every message is fine.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// `https://outflow.example/problems/<code>`, with `-` for `_`.
    #[serde(rename = "type")]
    pub type_uri: Box<str>,
    /// The code in words, the same for every occurrence.
    pub title: Box<str>,
    /// The HTTP status code.
    pub status: u16,
    /// What is wrong here, for a person. Never holds a secret.
    pub detail: Box<str>,
    /// What is wrong, for a program: `snake_case`, stable.
    pub code: Box<str>,
    /// The field, as a JSON pointer into the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pointer: Option<Box<str>>,
    /// The rule of the product that refused, such as `R9`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Box<str>>,
}

impl Problem {
    /// A message whose form is wrong at `pointer`; the empty pointer is the whole message.
    #[must_use]
    pub fn malformed(code: Code, pointer: &str, detail: impl Into<Box<str>>) -> Self {
        Self { pointer: Some(pointer.into()), ..Self::build(code.into(), code.status(), detail.into()) }
    }

    /// A request that is well-formed and that a rule of the product refuses.
    ///
    /// `code` is the domain's reason in `snake_case`.
    #[must_use]
    pub fn rejection(code: &str, detail: impl Into<Box<str>>) -> Self {
        Self::build(code, 422, detail.into())
    }

    /// A problem of any kind with its HTTP `status`, for the HTTP side.
    #[must_use]
    pub fn with_status(code: &str, status: u16, detail: impl Into<Box<str>>) -> Self {
        Self::build(code, status, detail.into())
    }

    /// The same, naming the field by its JSON pointer.
    #[must_use]
    pub fn at(self, pointer: impl Into<Box<str>>) -> Self {
        Self { pointer: Some(pointer.into()), ..self }
    }

    /// The same, naming the rule.
    #[must_use]
    pub fn by_rule(self, rule: impl Into<Box<str>>) -> Self {
        Self { rule: Some(rule.into()), ..self }
    }

    /// The problem as one line of JSON: the header of a dead letter, a row, an HTTP body.
    ///
    /// # Panics
    /// Never: texts and a number always serialise.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("texts and a number serialise")
    }

    fn build(code: &str, status: u16, detail: Box<str>) -> Self {
        let words = code.replace('_', " ");
        let mut letters = words.chars();
        let title = letters.next().map(|first| first.to_uppercase().collect::<String>() + letters.as_str());
        Self {
            type_uri: format!("{TYPES}{}", code.replace('_', "-")).into(),
            title: title.unwrap_or_default().into(),
            status,
            detail,
            code: code.into(),
            pointer: None,
            rule: None,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pointer.as_deref() {
            Some(pointer) if !pointer.is_empty() => write!(f, "{} at {pointer}: {}", self.code, self.detail),
            _ => write!(f, "{}: {}", self.code, self.detail),
        }
    }
}

impl fmt::Debug for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Problem {}

#[cfg(test)]
mod tests {
    use super::{Code, Problem};

    #[test]
    fn a_problem_has_the_members_of_rfc_9457() {
        let problem = Problem::malformed(Code::UnknownField, "/data/x", "is not known").by_rule("R16");
        let expected = "{\"type\":\"https://outflow.example/problems/unknown-field\",\"title\":\"Unknown field\",\
                        \"status\":422,\"detail\":\"is not known\",\"code\":\"unknown_field\",\
                        \"pointer\":\"/data/x\",\"rule\":\"R16\"}";
        assert_eq!(problem.to_json(), expected);
        assert_eq!(serde_json::from_str::<Problem>(expected).unwrap(), problem);
    }
}
