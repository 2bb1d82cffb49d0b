//! The texts of the contract, each with its length and its alphabet.
//!
//! A value of these types has passed its rule; there is no other way to make
//! one. Lengths count characters, not bytes.

use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::problem::Code;
use super::typed::broken;

/// A text outside its rule. The display form is the rule, never the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotAllowed(&'static str);

/// One line of the table below becomes a type.
macro_rules! text {
    ($(#[$about:meta])* $name:ident, $code:ident, $min:literal..=$max:literal, $pattern:literal, $allowed:expr, $rule:literal) => {
        $(#[$about])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = NotAllowed;

            fn try_from(text: String) -> Result<Self, NotAllowed> {
                let allowed: fn(char) -> bool = $allowed;
                let fits = ($min..=$max).contains(&text.chars().count()) && text.chars().all(allowed);
                // A name of blanks is no name; the length alone would let it pass.
                if fits && !text.trim().is_empty() { Ok(Self(text)) } else { Err(NotAllowed($rule)) }
            }
        }

        impl FromStr for $name {
            type Err = NotAllowed;

            fn from_str(text: &str) -> Result<Self, NotAllowed> {
                text.to_owned().try_into()
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.0
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.try_into().map_err(|NotAllowed(rule)| broken(Code::$code, rule))
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "type": "string", "minLength": $min, "maxLength": $max, "pattern": $pattern,
                    "description": concat!("The text ", $rule, ".")
                })
            }
        }
    };
}

/// Types whose text may be shown.
macro_rules! shown {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }
    )*};
}

const fn word(char: char) -> bool {
    char.is_ascii_alphanumeric() || matches!(char, '.' | '_' | ':' | '-')
}

const fn printable(char: char) -> bool {
    char.is_ascii_graphic()
}

fn not_control(char: char) -> bool {
    !char.is_control()
}

text!(
    /// The identifier of an account, a top-up, an invoice, a bill or an allocation.
    Identifier, InvalidId, 1..=64, "^[A-Za-z0-9._:-]+$", word,
    "must have 1 to 64 characters, only letters, digits, and any of . _ : -"
);
text!(
    /// The id of a message, unique within its source.
    MessageId, InvalidId, 1..=128, "^[^\\u0000-\\u001f\\u007f-\\u009f]+$", not_control,
    "must have 1 to 128 printable characters"
);
text!(
    /// Who sent a message, as a URI reference.
    Source, InvalidText, 1..=128, "^[!-~]+$", printable,
    "must be a URI reference of 1 to 128 characters"
);
text!(
    /// The name of a person, an enterprise, a bank or a branch.
    Name, InvalidText, 1..=128, "^[^\\u0000-\\u001f\\u007f-\\u009f]+$", not_control,
    "must have 1 to 128 characters"
);
text!(
    /// A number by which a payment channel knows a payment.
    TradeNo, InvalidText, 1..=64, "^[!-~]+$", printable,
    "must have 1 to 64 printable ASCII characters without spaces"
);
text!(
    /// The person or the service that asks or decides.
    Actor, InvalidText, 1..=64, "^[^\\u0000-\\u001f\\u007f-\\u009f]+$", not_control,
    "must have 1 to 64 characters"
);
text!(
    /// Why somebody decided as they did.
    Reason, InvalidText, 1..=500, "^[^\\u0000-\\u001f\\u007f-\\u009f]+$", not_control,
    "must have 1 to 500 characters"
);
text!(
    /// The attributes of `CloudEvents` that are carried along.
    Attribute, InvalidText, 1..=512, "^[^\\u0000-\\u001f\\u007f-\\u009f]+$", not_control,
    "must have 1 to 512 characters"
);
text!(
    /// The proof that the verification code was entered (R10). Never shown.
    Token, InvalidText, 1..=512, "^[!-~]+$", printable,
    "must have 1 to 512 printable ASCII characters without spaces"
);
text!(
    /// The SHA-256 of what people approve, in lower-case hexadecimal digits.
    EffectDigest, InvalidText, 64..=64, "^[0-9a-f]+$", |char| matches!(char, '0'..='9' | 'a'..='f'),
    "must have 64 lower-case hexadecimal digits"
);
text!(
    /// A verification code that only who delivers it can open (R10). Never shown.
    SealedCode, InvalidText, 2..=1024, "^[0-9a-f]+$", |char| matches!(char, '0'..='9' | 'a'..='f'),
    "must have 2 to 1024 lower-case hexadecimal digits"
);
text!(
    /// The number of a bank account or card. Shown as its last four characters only.
    AccountNumber, InvalidText, 8..=34, "^[A-Za-z0-9]+$", |char| char.is_ascii_alphanumeric(),
    "must have 8 to 34 letters and digits, without spaces"
);
text!(
    /// The CNAPS code of a bank branch.
    Cnaps, InvalidText, 12..=12, "^[0-9]+$", |char| char.is_ascii_digit(),
    "must have 12 digits"
);

shown!(Identifier, MessageId, Source, Name, TradeNo, Actor, Reason, Attribute, EffectDigest, Cnaps);

impl AccountNumber {
    /// What may be shown of it.
    #[must_use]
    pub fn last_four(&self) -> &str {
        &self.0[self.0.len() - 4..]
    }
}

impl fmt::Debug for AccountNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "****{}", self.last_four())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl fmt::Debug for SealedCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedCode(…)")
    }
}

/// The one version of `CloudEvents` that the contract speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SpecVersion;

impl Serialize for SpecVersion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("1.0")
    }
}

impl<'de> Deserialize<'de> for SpecVersion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match String::deserialize(deserializer)?.as_str() {
            "1.0" => Ok(Self),
            _ => Err(broken(Code::UnsupportedSpecversion, "must be \"1.0\"")),
        }
    }
}

impl JsonSchema for SpecVersion {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "SpecVersion".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "const": "1.0" })
    }
}
