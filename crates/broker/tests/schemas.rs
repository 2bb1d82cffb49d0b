//! The committed schemas are those of the types, and the examples fit both the
//! schemas and the parsers.
//!
//! `UPDATE_SCHEMAS=1 cargo nextest run -p broker --test schemas` writes them anew.

#![expect(clippy::unwrap_used, reason = "a failed step of a test is a failed test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use broker::contract::{
    Envelope, Fact, LegResolved, WithdrawalDecided, WithdrawalDetails, WithdrawalRequested, parse_event,
    parse_fact, parse_instruction, parse_request, schemas,
};
use serde_json::Value;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas")
}

fn example(name: &str) -> Value {
    let text = fs::read_to_string(folder().join("examples").join(format!("{name}.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn names(folder: &Path) -> BTreeSet<String> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|it| it == "json"));
    files.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect()
}

#[test]
fn the_committed_schemas_are_those_of_the_types() {
    let update = std::env::var_os("UPDATE_SCHEMAS").is_some();
    for (name, schema) in schemas() {
        let path = folder().join(format!("{name}.json"));
        let text = format!("{}\n", serde_json::to_string_pretty(&schema).unwrap());
        if update {
            fs::write(&path, &text).unwrap();
        }
        let committed = fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(committed, text, "{name} changed; set UPDATE_SCHEMAS=1 to write it anew");
        assert_eq!(schema["$id"], format!("https://outflow.example/schemas/{name}.json"));
    }
    let expected: BTreeSet<_> = schemas().iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names(&folder()), expected, "a schema without a type");
    assert_eq!(names(&folder().join("examples")), expected, "one example per schema");
    assert!(Fact::TYPES.iter().all(|kind| expected.contains(*kind)));
}

#[test]
fn every_example_fits_its_schema_and_its_parser() {
    for (name, schema) in schemas() {
        let example = example(name);
        let validator = jsonschema::validator_for(&schema).unwrap();
        let errors: Vec<_> = validator.iter_errors(&example).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{name}: {errors:?}");
        assert!(parses(&example).is_ok(), "{name}: {:?}", parses(&example));
    }
}

/// What the schema refuses the parser refuses too: fields are removed, added and
/// given another type, one at a time.
#[test]
fn schema_and_parser_agree_about_broken_examples() {
    let mut refused = 0;
    for (name, schema) in schemas() {
        let validator = jsonschema::validator_for(&schema).unwrap();
        for broken in mutations(&example(name)) {
            if !validator.is_valid(&broken) {
                refused += 1;
                assert!(parses(&broken).is_err(), "{name}: only the schema refuses {broken}");
            }
        }
    }
    assert!(refused > 500, "too few mutations were refused to prove anything: {refused}");
}

fn parses(message: &Value) -> Result<(), broker::contract::Problem> {
    let body = serde_json::to_vec(message).unwrap();
    let kind = message["type"].as_str().unwrap_or_default();
    let same = |again: Vec<u8>| {
        let again: Value = serde_json::from_slice(&again).unwrap();
        assert_eq!(again["id"], message["id"]);
    };
    match kind {
        WithdrawalRequested::KIND => {
            parse_request(&body).map(|it: Envelope<WithdrawalRequested>| same(it.to_json()))
        }
        WithdrawalDecided::KIND | WithdrawalDetails::KIND | LegResolved::KIND => {
            parse_instruction(&body).map(|it| same(it.to_json()))
        }
        kind if Fact::TYPES.contains(&kind) => parse_fact(&body).map(|it| same(it.to_json())),
        _ => parse_event(&body).map(|it| same(it.to_json())),
    }
}

/// The message with one thing wrong, at every place of it in turn.
fn mutations(message: &Value) -> Vec<Value> {
    let mut found = Vec::new();
    for pointer in pointers(message, String::new()) {
        for other in [Value::Null, 7.into(), "".into(), "ü/~ x".into(), Value::Array(vec![]), true.into()] {
            let mut changed = message.clone();
            *changed.pointer_mut(&pointer).unwrap() = other;
            found.push(changed);
        }
        if let Some((parent, key)) = pointer.rsplit_once('/') {
            let mut changed = message.clone();
            if let Some(Value::Object(fields)) = changed.pointer_mut(parent) {
                fields.remove(key);
                found.push(changed);
            }
        }
        let mut changed = message.clone();
        if let Some(Value::Object(fields)) = changed.pointer_mut(&pointer) {
            fields.insert("surprise".to_owned(), true.into());
            found.push(changed);
        }
    }
    found
}

fn pointers(value: &Value, at: String) -> Vec<String> {
    let inner: Vec<String> = match value {
        Value::Object(fields) => {
            fields.iter().flat_map(|(key, value)| pointers(value, format!("{at}/{key}"))).collect()
        }
        Value::Array(items) => items
            .iter()
            .enumerate()
            .flat_map(|(index, value)| pointers(value, format!("{at}/{index}")))
            .collect(),
        _ => Vec::new(),
    };
    [vec![at], inner].concat()
}
