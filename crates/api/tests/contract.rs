//! The description of the API is the one that is committed, is OpenAPI 3.1, and
//! tells of every endpoint that there is.
//!
//! `UPDATE_SCHEMAS=1 cargo nextest run --workspace --test contract` writes it anew.

#![expect(clippy::unwrap_used, reason = "a failed step of a test is a failed test")]

mod bench;

use std::fs;
use std::path::Path;

use api::openapi::{ENDPOINTS, document};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

#[test]
fn the_committed_description_is_the_one_of_the_code_and_fits_openapi() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    let text = format!("{}\n", serde_json::to_string_pretty(&document()).unwrap());
    if std::env::var_os("UPDATE_SCHEMAS").is_some() {
        fs::write(&path, &text).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(committed, text, "the API changed; set UPDATE_SCHEMAS=1 to describe it anew");

    let schema: Value = serde_json::from_str(include_str!("openapi-3.1.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<_> = validator.iter_errors(&document()).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    let mut broken = document();
    broken["paths"]["/v1/audit"]["get"]["responses"] = json!([]);
    assert!(!validator.is_valid(&broken), "this test notices nothing");
}

#[test]
fn every_reference_of_the_description_leads_somewhere() {
    let document = document();
    let text = document.to_string();
    let targets = text.split("\"$ref\":\"#").skip(1).filter_map(|rest| rest.split('"').next());
    let lost: Vec<&str> = targets.filter(|it| document.pointer(it).is_none()).collect();
    assert!(lost.is_empty(), "{lost:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_endpoint_of_the_description_is_there_and_asks_for_its_role() {
    let server = bench::server().await;
    for (method, path, role, ..) in ENDPOINTS {
        let method: Method = method.to_uppercase().parse().unwrap();
        let place = path.replace(['{', '}'], "");
        let (status, _, text) = server.ask_as(None, method.clone(), &place, Vec::new()).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{method} {path}: {text}");
        for (name, may) in [("viewer", *role == "viewer"), ("operator", *role != "approver")] {
            let known = server.ask_as(Some(name), Method::GET, "/v1/withdrawals", Vec::new()).await.0;
            if known == StatusCode::UNAUTHORIZED {
                bench::add(&server.database, name, name.parse().unwrap(), name).await;
            }
            let (status, _, text) = server.ask_as(Some(name), method.clone(), &place, Vec::new()).await;
            let refused = status == StatusCode::FORBIDDEN && text.contains("role_too_low");
            assert_eq!(refused, !may, "{method} {path} as {name}: {status} {text}");
        }
    }
}
