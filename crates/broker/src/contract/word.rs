//! Words of the domain on the wire: states, channels, routes, currencies.
//!
//! `domain` knows no JSON. Its words have one text form, and this file is the
//! bridge for all of them: `#[serde(with = "word")]`.

use std::fmt::Display;
use std::str::FromStr;

use domain::{ApprovalRule, Channel, Currency, LegState, Rail, Route, WithdrawalState};
use schemars::{Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serializer};
use strum::IntoEnumIterator;

use super::problem::Code;
use super::typed::broken;

/// A word of the domain, and the code for a text that is none.
pub(crate) trait Word: FromStr + Display + IntoEnumIterator {
    const CODE: Code = Code::InvalidValue;
}

impl Word for ApprovalRule {}
impl Word for Channel {}
impl Word for LegState {}
impl Word for Rail {}
impl Word for Route {}
impl Word for WithdrawalState {}
impl Word for Currency {
    const CODE: Code = Code::InvalidCurrency;
}

fn all<T: Word>() -> Vec<String> {
    T::iter().map(|word| word.to_string()).collect()
}

pub(super) fn serialize<T: Word, S: Serializer>(word: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(word)
}

pub(super) fn deserialize<'de, T: Word, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|_| broken(T::CODE, &format!("must be one of {}", all::<T>().join(", "))))
}

pub(super) fn schema<T: Word>(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "enum": all::<T>() })
}

/// The same for a word that may be missing.
pub(super) mod optional {
    use super::{Deserializer, Schema, SchemaGenerator, Serializer, Word, all, json_schema};
    use serde::Deserialize;

    /// Lets serde read an option of a word.
    struct Maybe<T>(T);

    impl<'de, T: Word> Deserialize<'de> for Maybe<T> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            super::deserialize(deserializer).map(Self)
        }
    }

    #[expect(clippy::ref_option, reason = "the signature that serde asks for")]
    pub(crate) fn serialize<T: Word, S: Serializer>(word: &Option<T>, to: S) -> Result<S::Ok, S::Error> {
        match word {
            Some(word) => to.collect_str(word),
            None => to.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, T: Word, D: Deserializer<'de>>(from: D) -> Result<Option<T>, D::Error> {
        Ok(Option::<Maybe<T>>::deserialize(from)?.map(|Maybe(word)| word))
    }

    pub(crate) fn schema<T: Word>(_: &mut SchemaGenerator) -> Schema {
        let words: Vec<_> =
            all::<T>().into_iter().map(serde_json::Value::from).chain([serde_json::Value::Null]).collect();
        json_schema!({ "enum": words })
    }
}
