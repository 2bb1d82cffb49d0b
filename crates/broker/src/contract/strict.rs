//! JSON as the contract allows it, which is less than JSON allows.
//!
//! A parser that silently keeps the last of two equal keys lets two readers see
//! two different messages, and PostgreSQL refuses the NUL that JSON admits. So
//! both are refused here, before anything looks at the meaning.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::problem::{Code, Problem};
use super::{BODY_LIMIT_BYTES, DEPTH_LIMIT};

/// Reads one JSON document within the limits of the contract.
pub(super) fn read(body: &[u8]) -> Result<Value, Problem> {
    if body.len() > BODY_LIMIT_BYTES {
        let detail = format!("has {} bytes; {BODY_LIMIT_BYTES} are allowed", body.len());
        return Err(Problem::malformed(Code::BodyTooLarge, "", detail));
    }
    let found = RefCell::new(None);
    let mut json = serde_json::Deserializer::from_slice(body);
    let seed = Strict { at: &At::Root, depth: 1, found: &found };
    let read = seed.deserialize(&mut json).and_then(|value| json.end().map(|()| value));
    // The syntax errors of serde_json name a line and a column and repeat nothing.
    read.map_err(|error| {
        let not_json = || Problem::malformed(Code::NotJson, "", format!("is not JSON: {error}"));
        found.take().unwrap_or_else(not_json)
    })
}

/// The way from the top of a document to a value, kept on the stack.
enum At<'a> {
    Root,
    Key(&'a At<'a>, &'a str),
    Index(&'a At<'a>, usize),
}

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Key(parent, key) => write!(f, "{parent}/{}", escape(key)),
            Self::Index(parent, index) => write!(f, "{parent}/{index}"),
        }
    }
}

/// A key as a part of a JSON pointer: escaped, shortened, and without the digits
/// of a number that somebody used as a key.
pub(super) fn escape(key: &str) -> String {
    const LONGEST: usize = 64;
    let digits = key.chars().filter(char::is_ascii_digit).count();
    key.chars()
        .take(LONGEST)
        .map(|char| match char {
            '~' => "~0".to_owned(),
            '/' => "~1".to_owned(),
            char if char.is_control() => "?".to_owned(),
            char if digits >= 8 && char.is_ascii_digit() => "*".to_owned(),
            char => char.to_string(),
        })
        .collect()
}

/// Reads one value at `at`; what is wrong is left in `found`.
#[derive(Clone, Copy)]
struct Strict<'a> {
    at: &'a At<'a>,
    depth: usize,
    found: &'a RefCell<Option<Problem>>,
}

impl Strict<'_> {
    /// Leaves a problem for [`read`] and stops the parser.
    fn refuse<E: serde::de::Error>(&self, code: Code, at: &At<'_>, detail: &str) -> E {
        *self.found.borrow_mut() = Some(Problem::malformed(code, &at.to_string(), detail));
        E::custom("refused")
    }

    fn text<E: serde::de::Error>(&self, text: &str, at: &At<'_>) -> Result<(), E> {
        if text.chars().any(char::is_control) {
            let detail = "contains a control character, such as NUL or a line break";
            return Err(self.refuse(Code::ControlCharacter, at, detail));
        }
        Ok(())
    }

    fn deeper<E: serde::de::Error>(&self) -> Result<usize, E> {
        if self.depth >= DEPTH_LIMIT {
            let detail = format!("is nested deeper than {DEPTH_LIMIT} levels");
            return Err(self.refuse(Code::TooDeep, self.at, &detail));
        }
        Ok(self.depth + 1)
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("a number out of range"))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Value, E> {
        self.text(text, self.at)?;
        Ok(Value::String(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let depth = self.deeper()?;
        let mut values = Vec::new();
        loop {
            let at = At::Index(self.at, values.len());
            let Some(value) = list.next_element_seed(Strict { at: &at, depth, ..self })? else { break };
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Value, A::Error> {
        let depth = self.deeper()?;
        let mut fields = Map::new();
        while let Some(key) = object.next_key::<String>()? {
            let at = At::Key(self.at, &key);
            self.text::<A::Error>(&key, &at)?;
            if fields.contains_key(&key) {
                return Err(self.refuse(Code::DuplicateField, &at, "occurs twice in one object"));
            }
            let value = object.next_value_seed(Strict { at: &at, depth, ..self })?;
            fields.insert(key, value);
        }
        Ok(Value::Object(fields))
    }
}
