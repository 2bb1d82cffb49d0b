//! The recorded requests of real SDKs and the signing vectors, for tests.

use std::fs;
use std::path::PathBuf;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use crate::keys::Keys;
use crate::signature::Signing;

/// A file below `tests/fixtures`.
pub(crate) fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// The key set under which the fixtures were made.
pub(crate) fn keys() -> Keys {
    Keys::load(&path("keys"), Signing::On).expect("the fixture keys are complete")
}

/// A JSON fixture.
pub(crate) fn json(name: &str) -> Value {
    let text = fs::read_to_string(path(name)).expect("the fixture is there");
    serde_json::from_str(&text).expect("the fixture is JSON")
}

/// One recorded request.
pub(crate) struct Recorded {
    pub(crate) name: String,
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// Every recorded request whose path begins with `prefix`.
pub(crate) fn recorded(prefix: &str) -> Vec<Recorded> {
    let mut requests = Vec::new();
    for file in fs::read_dir(path("recorded")).expect("the recordings are there") {
        let file = file.expect("a folder entry").file_name().into_string().expect("a UTF-8 name");
        for (call, exchange) in json(&format!("recorded/{file}")).as_object().expect("an object") {
            let recorded = one(&format!("{file} {call}"), &exchange["request"]);
            if recorded.target.starts_with(prefix) {
                requests.push(recorded);
            }
        }
    }
    requests
}

fn one(name: &str, request: &Value) -> Recorded {
    let line: Vec<&str> = request["line"].as_str().expect("a request line").split(' ').collect();
    // One SDK sends the absolute form.
    let target = line[1].strip_prefix("http://127.0.0.2").unwrap_or(line[1]);
    let mut headers = HeaderMap::new();
    for (name, value) in request["headers"].as_object().expect("headers") {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a header name");
        let value = HeaderValue::from_str(value.as_str().expect("text")).expect("a header value");
        headers.insert(name, value);
    }
    Recorded {
        name: name.to_owned(),
        method: line[0].to_owned(),
        target: target.to_owned(),
        headers,
        body: request["body"].as_str().expect("a body").to_owned(),
    }
}
