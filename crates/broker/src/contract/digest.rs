//! When two messages say the same, and where they differ.
//!
//! A repeated request is recognised by its `(source, id)`; whether it is the
//! same request or another one under an old id is told by the digest of its
//! canonical form.

use std::collections::BTreeSet;
use std::fmt::Write;

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::Value;

/// The SHA-256 of a value with sorted keys and no spaces, in 64 hexadecimal digits.
#[must_use]
pub fn canonical_digest(value: &Value) -> String {
    let mut text = String::new();
    write_sorted(value, &mut text);
    hex::encode(digest(&SHA256, text.as_bytes()))
}

/// The names of the fields in which two objects differ, in alphabetical order.
/// Fields of inner objects are named with dots: `bank_account.number`.
#[must_use]
pub fn differing_fields(one: &Value, other: &Value) -> Vec<String> {
    let mut names = BTreeSet::new();
    differ(one, other, "", &mut names);
    names.into_iter().collect()
}

fn differ(one: &Value, other: &Value, at: &str, names: &mut BTreeSet<String>) {
    let (Value::Object(left), Value::Object(right)) = (one, other) else {
        if one != other {
            names.insert(at.to_owned());
        }
        return;
    };
    for key in left.keys().chain(right.keys()).collect::<BTreeSet<_>>() {
        let inner = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
        let side = |object: &serde_json::Map<String, Value>| object.get(key).cloned().unwrap_or_default();
        differ(&side(left), &side(right), &inner, names);
    }
}

/// Sorts by itself: whether `serde_json` keeps maps sorted is a build feature
/// that any other crate can switch.
fn write_sorted(value: &Value, text: &mut String) {
    match value {
        Value::Object(fields) => {
            let sorted: std::collections::BTreeMap<_, _> = fields.iter().collect();
            text.push('{');
            for (index, (key, value)) in sorted.into_iter().enumerate() {
                let comma = if index == 0 { "" } else { "," };
                write!(text, "{comma}{}:", Value::from(key.as_str())).expect("a string takes all text");
                write_sorted(value, text);
            }
            text.push('}');
        }
        Value::Array(values) => {
            text.push('[');
            for (index, value) in values.iter().enumerate() {
                text.push_str(if index == 0 { "" } else { "," });
                write_sorted(value, text);
            }
            text.push(']');
        }
        plain => write!(text, "{plain}").expect("a string takes all text"),
    }
}

#[cfg(test)]
mod tests {
    use super::{canonical_digest, differing_fields};
    use serde_json::json;

    #[test]
    fn the_order_of_fields_does_not_matter_and_every_value_does() {
        let one = json!({ "b": [1, { "y": 1, "x": "a\"b" }], "a": null });
        let same = json!({ "a": null, "b": [1, { "x": "a\"b", "y": 1 }] });
        // sha256sum of {"a":null,"b":[1,{"x":"a\"b","y":1}]}
        let known = "66c16cea94602f1ced10197e8dc5004b3fe6a3d170242f26efb67aa4bc3231bd";
        assert_eq!(canonical_digest(&one), known);
        assert_eq!(canonical_digest(&same), known);
        assert_ne!(canonical_digest(&one), canonical_digest(&json!({ "a": null })));
    }

    #[test]
    fn fields_that_differ_are_named() {
        let one = json!({ "amount": "1", "bank": { "number": "1", "name": "x" }, "route": "source" });
        let other =
            json!({ "amount": "2", "bank": { "number": "2", "name": "x" }, "route": "source", "n": 1 });
        assert_eq!(differing_fields(&one, &other), ["amount", "bank.number", "n"]);
        assert!(differing_fields(&one, &one).is_empty());
    }
}
