//! The committed AsyncAPI document is the one that the types and the topology make.
//!
//! `UPDATE_SCHEMAS=1 cargo nextest run -p broker --test asyncapi` writes it anew.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use broker::contract::{asyncapi, schemas};
use broker::topology::{DECISIONS, FACTS, REQUESTS};
use serde_json::Value;

#[test]
fn the_committed_document_is_the_one_of_the_types() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("asyncapi.json");
    let text = format!("{:#}\n", asyncapi());
    if std::env::var_os("UPDATE_SCHEMAS").is_some() {
        fs::write(&path, &text).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == text, "the contract changed; set UPDATE_SCHEMAS=1 to write {} anew", path.display());
}

#[test]
fn the_document_fits_the_specifications_own_schema() {
    let schema: Value = serde_json::from_str(include_str!("asyncapi-3.0.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let document = asyncapi();
    let wrong: Vec<String> =
        validator.iter_errors(&document).map(|it| format!("{} {it}", it.instance_path())).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");

    // What the schema must notice.
    for (pointer, value) in [
        ("/asyncapi", Value::from("2.6.0")),
        ("/info/title", Value::Null),
        ("/channels", Value::from([1])),
        ("/operations", Value::from("none")),
    ] {
        let mut broken = document.clone();
        *broken.pointer_mut(pointer).unwrap() = value;
        assert!(!validator.is_valid(&broken), "{pointer}");
    }
}

/// Every reference of a document, wherever it stands.
fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                match field.as_str() {
                    Some(target) if name == "$ref" => drop(found.insert(target.to_owned())),
                    // A message's schema has an `$id`, and its references are within itself.
                    _ if name == "payload" => {}
                    _ => references(field, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|it| references(it, found)),
        _ => {}
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let document = asyncapi();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(found.len() > schemas().len(), "{found:?}");
    for target in found {
        assert!(document.pointer(&target[1..]).is_some(), "{target} leads nowhere");
    }
}

#[test]
fn every_message_type_travels_on_exactly_one_channel() {
    let document = asyncapi();
    for (kind, _) in schemas() {
        let channels = document["channels"].as_object().unwrap();
        let carriers: Vec<&String> = channels
            .iter()
            .filter(|(_, channel)| channel["messages"].get(kind).is_some())
            .map(|(name, _)| name)
            .collect();
        assert_eq!(carriers.len(), 1, "{kind} travels on {carriers:?}");
    }
}

#[test]
fn what_upstream_may_publish_has_the_queue_that_takes_it() {
    let document = asyncapi();
    for (queue, kind) in [
        (FACTS, "outflow.top_up.credited.v1"),
        (REQUESTS, "outflow.withdrawal.requested.v1"),
        (DECISIONS, "outflow.withdrawal.decided.v1"),
        (DECISIONS, "outflow.withdrawal.details.v1"),
        (DECISIONS, "outflow.leg.resolved.v1"),
    ] {
        let channel = &document["channels"][queue];
        assert_eq!(channel["address"], queue);
        assert!(channel["messages"].get(kind).is_some(), "{queue} does not take {kind}");
        assert_eq!(document["operations"][format!("receive.{queue}")]["action"], "receive");
    }
}
