//! Edits of messages that people see masked: what they left masked is restored,
//! and what they changed is told without showing what they may not see.

use broker::contract::{Code, Problem};
use serde_json::{Map, Value, json};

use crate::dead_letter::masked;

/// What stands in the place of what people may not see.
const MASK: &str = "****";

/// A list longer than this is told as one change.
const CHANGES_MAX: usize = 200;

/// The body that an edit means: texts that still say what the masked original
/// said become those of the original again.
///
/// # Errors
/// When it is not JSON although the original is, or something in it is masked
/// that the original does not have there.
pub(super) fn restored(original: &[u8], edited: &str) -> Result<Vec<u8>, Problem> {
    let not_json = || Problem::malformed(Code::NotJson, "", "what is to be sent must be JSON");
    let edited: Value = serde_json::from_str(edited).map_err(|_| not_json())?;
    let original: Value = serde_json::from_slice(original).unwrap_or_default();
    let seen = masked_value(&original);
    let mut body = edited;
    restore(&mut body, &seen, &original);
    match still_masked(&body, String::new()) {
        None => Ok(body.to_string().into_bytes()),
        Some(pointer) => {
            let detail = "is masked, and nothing in the original stands here; write it out";
            Err(Problem::malformed(Code::InvalidText, &pointer, detail))
        }
    }
}

/// The changes from one body to another: pointer, before and after, masked.
pub(super) fn difference(before: &[u8], after: &[u8]) -> Value {
    let read = |body: &[u8]| {
        let value = serde_json::from_slice::<Value>(body).ok();
        value.unwrap_or_else(|| String::from_utf8_lossy(body).into_owned().into())
    };
    let mut changes = Vec::new();
    compare(&read(before), &read(after), "", &mut changes);
    changes.truncate(CHANGES_MAX);
    changes.into()
}

fn masked_value(value: &Value) -> Value {
    let text = value.to_string();
    serde_json::from_slice(&masked(text.as_bytes(), usize::MAX)).unwrap_or_default()
}

fn restore(edited: &mut Value, seen: &Value, original: &Value) {
    if edited == seen {
        *edited = original.clone();
        return;
    }
    match (edited, seen, original) {
        (Value::Object(fields), Value::Object(seen), Value::Object(original)) => {
            for (name, value) in fields {
                if let (Some(seen), Some(original)) = (seen.get(name), original.get(name)) {
                    restore(value, seen, original);
                }
            }
        }
        (Value::Array(items), Value::Array(seen), Value::Array(original)) => {
            for ((item, seen), original) in items.iter_mut().zip(seen).zip(original) {
                restore(item, seen, original);
            }
        }
        _ => {}
    }
}

/// The first place that holds a mask.
fn still_masked(value: &Value, at: String) -> Option<String> {
    match value {
        Value::String(text) => text.contains(MASK).then_some(at),
        Value::Array(items) => {
            items.iter().enumerate().find_map(|(index, it)| still_masked(it, format!("{at}/{index}")))
        }
        Value::Object(fields) => fields.iter().find_map(|(name, it)| still_masked(it, below(&at, name))),
        _ => None,
    }
}

fn below(at: &str, name: &str) -> String {
    format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"))
}

fn compare(before: &Value, after: &Value, at: &str, changes: &mut Vec<Value>) {
    if before == after {
        return;
    }
    if let (Value::Object(old), Value::Object(new)) = (before, after) {
        let names = old.keys().chain(new.keys().filter(|it| !old.contains_key(*it)));
        for name in names {
            let side = |fields: &Map<String, Value>| fields.get(name).cloned().unwrap_or_default();
            compare(&side(old), &side(new), &below(at, name), changes);
        }
        return;
    }
    // The name of a field decides how its value is masked.
    let name = at.rsplit('/').next().unwrap_or_default();
    let side = |value: &Value| masked_value(&json!({ name: value }))[name].clone();
    changes.push(json!({ "pointer": at, "before": side(before), "after": side(after) }));
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{difference, restored};

    const ORIGINAL: &str = r#"{"data":{"amount":12.5,"bank_account":{"number":"6222020200112233445","holder":"Li"},"verification":"v1.abc"}}"#;

    fn read(body: &[u8]) -> Value {
        serde_json::from_slice(body).unwrap()
    }

    #[test]
    fn what_stays_masked_is_the_original_and_what_is_written_is_taken() {
        let edited = r#"{"data":{"amount":"12.50","bank_account":{"number":"****3445","holder":"Li Wei"},"verification":"****"}}"#;
        let body = restored(ORIGINAL.as_bytes(), edited).unwrap();
        let expected = json!({ "data": {
            "amount": "12.50",
            "bank_account": { "number": "6222020200112233445", "holder": "Li Wei" },
            "verification": "v1.abc",
        } });
        assert_eq!(read(&body), expected);
        let changes = difference(ORIGINAL.as_bytes(), &body);
        assert_eq!(
            changes,
            json!([
                { "pointer": "/data/amount", "before": 12.5, "after": "12.50" },
                { "pointer": "/data/bank_account/holder", "before": "Li", "after": "Li Wei" },
            ])
        );
    }

    #[test]
    fn a_mask_where_the_original_has_nothing_is_refused_with_its_place() {
        for (edited, pointer) in [
            (r#"{"data":{"bank_account":{"number":"****0000"}}}"#, "/data/bank_account/number"),
            (r#"{"data":{"other":"****3445"}}"#, "/data/other"),
            (r#"{"data":["****"]}"#, "/data/0"),
        ] {
            let problem = restored(ORIGINAL.as_bytes(), edited).unwrap_err();
            assert_eq!(problem.pointer.as_deref(), Some(pointer), "{problem}");
        }
        assert_eq!(&*restored(ORIGINAL.as_bytes(), "{").unwrap_err().code, "not_json");
    }

    #[test]
    fn a_difference_never_shows_an_account_number() {
        let other = ORIGINAL.replace("6222020200112233445", "6222020200112299999");
        let changes = difference(ORIGINAL.as_bytes(), other.as_bytes()).to_string();
        assert!(changes.contains("****3445") && changes.contains("****9999"), "{changes}");
        assert!(!changes.contains("2233445"), "{changes}");
        let garbage = difference(b"\xff6222020200112233445", ORIGINAL.as_bytes()).to_string();
        assert!(!garbage.contains("6222020200112233445"), "{garbage}");
    }
}
