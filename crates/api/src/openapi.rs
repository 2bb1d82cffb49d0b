//! The API described by itself: OpenAPI 3.1.
//!
//! The shapes of messages are generated from the types of the contract; what is
//! the API's own is written here, beside the table of every endpoint. The
//! committed copy is `openapi.json`, and a test compares both, asks every
//! endpoint of the table, and finds none that is missing in it.

use axum::response::IntoResponse;
use broker::contract::{
    LegResolved, Problem, StatusChanged, WithdrawalDecided, WithdrawalDetails, WithdrawalRequested,
};
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::answer::Json;

/// One endpoint: method, path, the role that it needs, what it does, what its
/// body is and what it answers. A schema of `-` is none.
type Endpoint = (&'static str, &'static str, &'static str, &'static str, &'static str, &'static str);

/// Every endpoint that asks for a token.
pub const ENDPOINTS: &[Endpoint] = &[
    ("get", "/v1/accounts/{account_id}/quote", "viewer", "What an account could withdraw now", "-", "Quote"),
    ("get", "/v1/withdrawals", "viewer", "Withdrawals, newest first", "-", "Page"),
    (
        "post",
        "/v1/withdrawals",
        "operator",
        "Asks for money; decided as the intake does, once per key",
        "Request",
        "Withdrawal",
    ),
    ("get", "/v1/withdrawals/{id}", "viewer", "One withdrawal, leg by leg", "-", "Withdrawal"),
    (
        "get",
        "/v1/withdrawals/{id}/history",
        "viewer",
        "Its moves, decisions, calls, money, notices and audit",
        "-",
        "Object",
    ),
    (
        "post",
        "/v1/withdrawals/{id}/decisions",
        "approver",
        "Approves, denies or cancels it",
        "Decision",
        "Withdrawal",
    ),
    ("post", "/v1/withdrawals/{id}/cancel", "operator", "Takes it back", "Because", "Withdrawal"),
    (
        "post",
        "/v1/withdrawals/{id}/resolutions",
        "operator",
        "Says what became of a leg in manual review",
        "Resolution",
        "Withdrawal",
    ),
    (
        "get",
        "/v1/withdrawals/{id}/legs",
        "viewer",
        "Its legs, each with its calls to the gateway",
        "-",
        "Page",
    ),
    (
        "post",
        "/v1/withdrawals/{id}/details",
        "operator",
        "Gives or changes its bank details",
        "Details",
        "Withdrawal",
    ),
    ("post", "/v1/verification-codes", "operator", "Issues a verification code", "CodeWish", "Object"),
    (
        "post",
        "/v1/verification-codes/{id}/confirm",
        "operator",
        "Turns an entered code into a token",
        "EnteredCode",
        "Object",
    ),
    ("get", "/v1/channels", "viewer", "Channels: stops, legs under way, calls of a day", "-", "Page"),
    (
        "post",
        "/v1/channels/{channel}/pause",
        "operator",
        "Stops sends in less than a second",
        "Because",
        "Page",
    ),
    ("post", "/v1/channels/{channel}/resume", "operator", "Lets sends go on", "Because", "Page"),
    (
        "get",
        "/v1/reconciliation/days",
        "viewer",
        "Settlement days of the channels, newest first, and whether they are closed",
        "-",
        "Page",
    ),
    (
        "get",
        "/v1/reconciliation/differences",
        "viewer",
        "What does not agree between a statement and our books",
        "-",
        "Page",
    ),
    (
        "post",
        "/v1/reconciliation/differences/{id}/resolve",
        "operator",
        "Says that somebody looked into one, and what it was",
        "Because",
        "Object",
    ),
    ("get", "/v1/parked-messages", "viewer", "Messages that nobody could use", "-", "Page"),
    ("get", "/v1/parked-messages/groups", "viewer", "The same, grouped by cause", "-", "Page"),
    ("get", "/v1/parked-messages/{id}", "operator", "One of them, opened and masked; audited", "-", "Object"),
    (
        "post",
        "/v1/parked-messages/{id}/replay",
        "operator",
        "Sends it again, as it came or edited",
        "Replay",
        "Object",
    ),
    (
        "post",
        "/v1/parked-messages/{id}/discard",
        "operator",
        "Resolves it without sending anything",
        "Because",
        "Object",
    ),
    (
        "get",
        "/v1/calendar/{date}",
        "viewer",
        "What a day is, and when a bank payout of it arrives",
        "-",
        "Object",
    ),
    ("get", "/v1/audit", "approver", "Everything that people did, as a chain", "-", "Page"),
];

/// What the address of an endpoint may ask for.
const QUERIES: &[(&str, &[(&str, &str)])] = &[
    (
        "/v1/withdrawals",
        &[
            ("state", "states, with commas between them"),
            ("account_id", "of this account"),
            ("requester", "asked for by this person"),
            ("q", "a number, a request's id, an account, or a payout number"),
            ("cursor", "`next` of the page before"),
            ("limit", "1 to 500"),
        ],
    ),
    ("/v1/reconciliation/days", &[("limit", "1 to 500")]),
    (
        "/v1/reconciliation/differences",
        &[("resolved", "`true` for those that are resolved, too"), ("limit", "1 to 500")],
    ),
    (
        "/v1/parked-messages",
        &[
            ("resolved", "`true` for those that somebody dealt with"),
            ("queue", "from this queue"),
            ("code", "with this problem"),
            ("cursor", "`next` of the page before"),
            ("limit", "1 to 500"),
        ],
    ),
    (
        "/v1/audit",
        &[("subject", "about this"), ("cursor", "`next` of the page before"), ("limit", "1 to 500")],
    ),
];

/// `GET /v1/openapi.json`
pub(crate) async fn show() -> impl IntoResponse {
    Json::from(document())
}

/// The whole description.
#[must_use]
pub fn document() -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for endpoint in ENDPOINTS {
        let path = paths.entry(endpoint.1).or_insert_with(|| json!({}));
        path[endpoint.0] = operation(endpoint);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Outflow",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Withdrawals in, money out. Every refusal is an RFC 9457 problem, the same object as in \
                            events and dead letters. Amounts are decimal texts; a JSON number is refused.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "security": [{ "token": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
            "responses": { "Problem": {
                "description": "Why not. `code` is stable; `reasons` holds every reason of a rule.",
                "content": { "application/problem+json": { "schema": reference("Problem") } },
            } },
            "schemas": schemas(),
        },
    })
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn operation((method, path, role, summary, takes, answers): &Endpoint) -> Value {
    let content = |name: &str| json!({ "application/json": { "schema": reference(name) } });
    let answer = |what: &str| json!({ "description": what, "content": content(answers) });
    let mut operation = json!({
        "summary": summary,
        "description": format!("Needs the role {role}, or one that may do more."),
        "operationId": name_of(method, path),
        "responses": { "200": answer("done"), "default": { "$ref": "#/components/responses/Problem" } },
    });
    if *method == "post" && matches!(*path, "/v1/withdrawals" | "/v1/verification-codes") {
        operation["responses"]["201"] = answer("made");
    }
    let parameters = parameters(method, path);
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    if *takes != "-" {
        operation["requestBody"] = json!({ "required": true, "content": content(takes) });
    }
    operation
}

fn parameters(method: &str, path: &str) -> Vec<Value> {
    let text = json!({ "type": "string" });
    let in_path = path.split('/').filter_map(|it| it.strip_prefix('{')?.strip_suffix('}'));
    let mut all: Vec<Value> =
        in_path.map(|name| json!({ "name": name, "in": "path", "required": true, "schema": text })).collect();
    let asked = QUERIES.iter().filter(|(of, _)| method == "get" && *of == path);
    for (name, about) in asked.flat_map(|(_, names)| names.iter()) {
        all.push(json!({ "name": name, "in": "query", "description": about, "schema": text }));
    }
    if method == "post" && path.starts_with("/v1/withdrawals") {
        let about =
            "names this call for ever: the same content again changes nothing, another one is refused";
        all.push(json!({
            "name": "Idempotency-Key", "in": "header", "required": path == "/v1/withdrawals",
            "description": about, "schema": { "type": "string", "minLength": 1, "maxLength": 128 },
        }));
    }
    all
}

/// `get_withdrawals_id_history`
fn name_of(method: &str, path: &str) -> String {
    let words = path.split(['/', '-', '_', '{', '}']).filter(|it| !it.is_empty() && *it != "v1");
    std::iter::once(method).chain(words).collect::<Vec<_>>().join("_")
}

fn schemas() -> Value {
    let settings =
        SchemaSettings::draft2020_12().with(|it| it.definitions_path = "/components/schemas".into());
    let mut generator = settings.into_generator();
    let mut own = own_schemas();
    for (name, root) in [
        ("Withdrawal", generator.root_schema_for::<StatusChanged>()),
        ("Problem", generator.root_schema_for::<Problem>()),
        ("Request", generator.root_schema_for::<WithdrawalRequested>()),
        ("Decision", generator.root_schema_for::<WithdrawalDecided>()),
        ("Details", generator.root_schema_for::<WithdrawalDetails>()),
        ("Resolution", generator.root_schema_for::<LegResolved>()),
    ] {
        let mut schema = root.to_value();
        let fields = schema.as_object_mut().expect("a type of the contract is an object");
        fields.remove("$schema");
        let inner = fields.remove("components").unwrap_or_default();
        own.insert(name.to_owned(), left_out(name, schema));
        if let Value::Object(inner) = &inner["schemas"] {
            own.extend(inner.clone());
        }
    }
    own.into()
}

/// What the API fills in need not be in a body.
fn left_out(name: &str, mut schema: Value) -> Value {
    let filled: &[&str] = match name {
        "Request" => &["requester", "requested_at"],
        "Decision" | "Details" | "Resolution" => &["withdrawal_id", "actor"],
        _ => &[],
    };
    if let Some(required) = schema["required"].as_array_mut() {
        required.retain(|it| !filled.iter().any(|name| it == name));
    }
    if name == "Problem" {
        schema["properties"]["reasons"] = json!({ "type": "array", "items": reference("Problem") });
        schema["properties"]["withdrawal_id"] = json!({ "type": "string", "format": "uuid" });
    }
    schema
}

fn own_schemas() -> Map<String, Value> {
    let text = json!({ "type": "string" });
    let object = |properties: Value, required: &[&str]| json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false });
    let reason = json!({ "type": "string", "minLength": 1, "maxLength": 500 });
    let all = json!({
        "Object": { "type": "object" },
        "Page": {
            "type": "object", "required": ["items", "next"],
            "properties": {
                "items": { "type": "array", "items": { "type": "object" } },
                "next": { "type": ["string", "integer", "null"], "description": "the cursor of the next page" },
            },
        },
        "Quote": {
            "type": "object", "required": ["account_id", "currency", "terms", "source", "bank_card"],
            "properties": {
                "account_id": text, "currency": text, "valid_until": { "type": ["string", "null"] },
                "terms": { "type": "object" }, "source": { "type": "object" }, "bank_card": { "type": "object" },
            },
        },
        "Because": object(json!({ "reason": reason }), &["reason"]),
        "Replay": object(json!({ "reason": reason, "body": text }), &["reason"]),
        "EnteredCode": object(json!({ "code": text }), &["code"]),
        "CodeWish": object(
            json!({
                "account_id": text, "amount": text, "currency": text, "request_id": text,
                "route": { "enum": ["source", "bank_card"] },
            }),
            &["account_id", "amount", "currency", "route", "request_id"],
        ),
    });
    let Value::Object(all) = all else { unreachable!("it is written as an object") };
    all
}
