//! From a JSON value to a type of the contract, with problems that point.
//!
//! Serde reports errors as text. The texts that serde itself writes are told
//! apart here, in one place; those of our own types begin with a [`Code`] and a
//! colon (see [`broken`]). No text that repeats a value leaves this file.

use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::{Path, Segment};

use super::fields::Fields;
use super::problem::{Code, Problem};
use super::strict::escape;

/// The error of a type of ours: the code for programs, the rule for people.
pub(super) fn broken<E: serde::de::Error>(code: Code, rule: &str) -> E {
    E::custom(format_args!("{code}: {rule}"))
}

/// Reads `value`, which is found at the JSON pointer `at` of the message.
pub(super) fn read<T: DeserializeOwned>(value: &Value, at: &str) -> Result<T, Problem> {
    serde_path_to_error::deserialize(Fields(value)).map_err(|error| {
        let pointer = pointer(error.path());
        explain(&error.inner().to_string(), value, (at, &pointer))
    })
}

fn pointer(path: &Path) -> String {
    path.iter()
        .filter_map(|segment| match segment {
            Segment::Seq { index } => Some(format!("/{index}")),
            Segment::Map { key } => Some(format!("/{}", escape(key))),
            Segment::Enum { .. } | Segment::Unknown => None,
        })
        .collect()
}

/// Turns an error text of serde into a problem. `place` is the pointer of
/// `value` in the message, and the one of the error in `value`.
fn explain(error: &str, value: &Value, place: (&str, &str)) -> Problem {
    let (at, inner) = place;
    let here = format!("{at}{inner}");
    if let Some(field) = quoted(error, "missing field `") {
        return Problem::malformed(Code::MissingField, &format!("{here}/{field}"), "is missing");
    }
    if let Some(field) = quoted(error, "unknown field `") {
        let name = format!("/{}", escape(field));
        let here = if here.ends_with(&name) { here } else { here + &name };
        // The sender's name may hold anything, so the list of ours is cut off from the right.
        let known = error.rsplit_once("`, expected ").map_or("none", |(_, known)| known);
        let detail = format!("is not a field of the contract; expected {}", known.replace('`', ""));
        return Problem::malformed(Code::UnknownField, &here, detail);
    }
    if error.starts_with("unknown variant `") {
        let known = error.rsplit_once("`, expected ").map_or("none", |(_, known)| known);
        let detail = format!("must be {}", known.replace('`', "\""));
        return Problem::malformed(Code::InvalidValue, &here, detail);
    }
    if error.starts_with("UUID parsing failed") {
        return Problem::malformed(Code::InvalidId, &here, "must be a UUID");
    }
    if let Some((code, rule)) = error.split_once(": ")
        && let Ok(code) = code.parse::<Code>()
    {
        return Problem::malformed(code, &here, rule);
    }
    let expected = error.rsplit_once(", expected ").map(|(_, expected)| in_words(expected));
    if let Some(expected) = expected
        && error.starts_with("invalid ")
    {
        let found = value.pointer(inner).map_or("something else", kind);
        return Problem::malformed(Code::WrongType, &here, format!("must be {expected}; it is {found}"));
    }
    Problem::malformed(Code::InvalidValue, &here, "is not valid")
}

/// The text between `start` at the beginning and the next back-quote.
fn quoted<'a>(error: &'a str, start: &str) -> Option<&'a str> {
    Some(error.strip_prefix(start)?.split_once('`').map_or("", |(field, _)| field))
}

fn in_words(expected: &str) -> &str {
    match expected {
        it if it.starts_with("struct") || it.starts_with("a map") => "an object",
        it if it.starts_with("a sequence") => "a list",
        it if it.contains("u64") || it.contains("u32") => "a whole number, 0 or more",
        it if it.starts_with("a string") || it.starts_with("a borrowed string") || it == "str" => "a text",
        it if it.starts_with("a boolean") => "true or false",
        it if it.contains("UUID") || it.contains("uuid") => "a UUID",
        it => it,
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
