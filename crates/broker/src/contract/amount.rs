//! Amounts and moments on the wire.
//!
//! An amount is a text, because a JSON number passes through floats in half of
//! all languages. The grammar is checked when the text is read; the number of
//! decimals is checked against the currency beside it, once both are known.

use std::fmt;

use chrono::{DateTime, SubsecRound, Utc};
use domain::{Currency, Money};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Visitor};

use super::problem::{Code, Problem};
use super::typed::broken;

/// The grammar that every currency shares: at most two decimals.
const GRAMMAR: &str = r"^(0|[1-9][0-9]{0,12})(\.[0-9]{1,2})?$";
const NOT_A_NUMBER: &str = "amounts are decimal strings such as \"100.00\"; this is a JSON number";

/// An amount as a decimal string in its grammar (R16). May be zero.
#[derive(Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Amount(String);

impl Amount {
    /// The wire text of `money`, with all decimals of the currency.
    #[must_use]
    pub fn new(money: Money, currency: Currency) -> Self {
        Self(money.to_text(currency))
    }

    /// The text as it came.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The amount in minor units.
    ///
    /// # Panics
    /// When the amount has more decimals than the currency, which no message
    /// that was read by the contract has.
    #[must_use]
    pub fn money(&self, currency: Currency) -> Money {
        Money::parse(&self.0, currency).expect("an amount that was checked against its currency")
    }

    /// That the amount fits its currency; `pointer` is where it stands.
    pub(super) fn check(&self, currency: Currency, pointer: &str) -> Result<(), Problem> {
        match Money::parse(&self.0, currency) {
            Ok(_) => Ok(()),
            Err(error) => {
                Err(Problem::malformed(Code::InvalidAmount, pointer, error.to_string()).by_rule("R16"))
            }
        }
    }

    /// The same, and that it is more than zero.
    pub(super) fn check_positive(&self, currency: Currency, pointer: &str) -> Result<(), Problem> {
        self.check(currency, pointer)?;
        if self.money(currency).is_positive() {
            return Ok(());
        }
        Err(Problem::malformed(Code::InvalidAmount, pointer, "must be more than zero").by_rule("R16"))
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AmountText)
    }
}

/// Takes a text and has a word for those who send numbers.
struct AmountText;

impl Visitor<'_> for AmountText {
    type Value = Amount;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a decimal string such as \"100.00\"")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Amount, E> {
        // CNY has the widest grammar; narrower ones are checked beside their currency.
        match Money::parse(text, Currency::Cny) {
            Ok(_) => Ok(Amount(text.to_owned())),
            Err(error) => Err(broken(Code::InvalidAmount, &error.to_string())),
        }
    }

    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<Amount, E> {
        Err(broken(Code::InvalidAmount, NOT_A_NUMBER))
    }

    fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<Amount, E> {
        Err(broken(Code::InvalidAmount, NOT_A_NUMBER))
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<Amount, E> {
        Err(broken(Code::InvalidAmount, NOT_A_NUMBER))
    }
}

impl JsonSchema for Amount {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Amount".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string", "pattern": GRAMMAR,
            "description": "A decimal string in the currency beside it, such as \"100.00\". Never a number."
        })
    }
}

/// Moments in RFC 3339 with an offset, kept in UTC to the microsecond (the
/// precision of the database).
pub(super) mod moment {
    use super::{
        Code, DateTime, Deserialize, Deserializer, Schema, SchemaGenerator, Serializer, SubsecRound, Utc,
        broken, json_schema,
    };

    const RULE: &str = "must be a moment in RFC 3339 with an offset, such as \"2026-02-14T09:30:00+08:00\"";

    fn parse(text: &str) -> Option<DateTime<Utc>> {
        // chrono also takes a blank or a small letter between date and time.
        let strict = text.as_bytes().get(10) == Some(&b'T') && text.len() <= 40;
        let moment = DateTime::parse_from_rfc3339(text).ok().filter(|_| strict)?;
        Some(moment.with_timezone(&Utc).trunc_subsecs(6))
    }

    pub(crate) fn text(moment: &DateTime<Utc>) -> String {
        moment.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)
    }

    pub(crate) fn serialize<S: Serializer>(moment: &DateTime<Utc>, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&text(moment))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<DateTime<Utc>, D::Error> {
        parse(&String::deserialize(from)?).ok_or_else(|| broken(Code::InvalidTime, RULE))
    }

    pub(crate) fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time" })
    }

    /// The same for a moment that may be missing.
    pub(crate) mod optional {
        use super::{
            Code, DateTime, Deserialize, Deserializer, RULE, Schema, SchemaGenerator, Serializer, Utc,
            broken, json_schema, parse,
        };

        #[expect(clippy::ref_option, reason = "the signature that serde asks for")]
        pub(crate) fn serialize<S: Serializer>(it: &Option<DateTime<Utc>>, to: S) -> Result<S::Ok, S::Error> {
            match it {
                Some(moment) => super::serialize(moment, to),
                None => to.serialize_none(),
            }
        }

        pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
            from: D,
        ) -> Result<Option<DateTime<Utc>>, D::Error> {
            let Some(text) = Option::<String>::deserialize(from)? else { return Ok(None) };
            parse(&text).map(Some).ok_or_else(|| broken(Code::InvalidTime, RULE))
        }

        pub(crate) fn schema(_: &mut SchemaGenerator) -> Schema {
            json_schema!({ "type": ["string", "null"], "format": "date-time" })
        }
    }
}
