//! Every kind of bad input gets its code and its pointer, and nothing panics.

#![expect(clippy::unwrap_used, reason = "a failed step of a test is a failed test")]

use broker::contract::{
    BODY_LIMIT_BYTES, Code, DEPTH_LIMIT, Problem, parse_event, parse_fact, parse_instruction, parse_nudge,
    parse_request,
};
use proptest::prelude::{any, prop_oneof, proptest};
use proptest::strategy::Strategy;
use serde_json::{Value, json};

const REQUEST: &str = include_str!("../schemas/examples/outflow.withdrawal.requested.v1.json");
const TOP_UP: &str = include_str!("../schemas/examples/outflow.top_up.credited.v1.json");
const DECISION: &str = include_str!("../schemas/examples/outflow.withdrawal.decided.v1.json");
const BILL: &str = include_str!("../schemas/examples/outflow.usage.billed.v1.json");
const UNBILLED: &str = include_str!("../schemas/examples/outflow.usage.unbilled.v1.json");
const ACCOUNT: &str = include_str!("../schemas/examples/outflow.account.upserted.v1.json");

/// The digits that no problem may show.
const SECRET: &str = "6222021234567890";

fn parse(body: &[u8]) -> Result<(), Problem> {
    let kind = serde_json::from_slice::<Value>(body).ok();
    let kind = kind.as_ref().and_then(|it| it["type"].as_str()).unwrap_or_default();
    match kind {
        "outflow.withdrawal.decided.v1" => parse_instruction(body).map(drop),
        "outflow.withdrawal.requested.v1" => parse_request(body).map(drop),
        _ => parse_fact(body).map(drop),
    }
}

/// The example with `value` at `pointer`, which may be new in its object.
fn with(example: &str, pointer: &str, value: Value) -> Vec<u8> {
    let mut message: Value = serde_json::from_str(example).unwrap();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    match message.pointer_mut(parent).unwrap() {
        Value::Object(fields) => {
            fields.insert(key.to_owned(), value);
        }
        Value::Array(items) => items[key.parse::<usize>().unwrap()] = value,
        other => panic!("{other} has no fields"),
    }
    serde_json::to_vec(&message).unwrap()
}

fn without(example: &str, pointer: &str) -> Vec<u8> {
    let mut message: Value = serde_json::from_str(example).unwrap();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    message.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(key).unwrap();
    serde_json::to_vec(&message).unwrap()
}

#[track_caller]
fn refused(body: &[u8], code: Code, pointer: &str) -> Problem {
    let problem = parse(body).expect_err(&String::from_utf8_lossy(body));
    let name: &str = code.into();
    assert_eq!((&*problem.code, problem.pointer.as_deref()), (name, Some(pointer)), "{problem}");
    assert_eq!(problem.status, code.status());
    assert!(!problem.to_json().contains(SECRET), "shows a secret: {problem}");
    problem
}

#[test]
fn a_field_with_a_wrong_value_is_named_with_its_rule() {
    use Code::*;
    let long = |length| Value::from("a".repeat(length));
    for (example, pointer, value, code) in [
        (REQUEST, "/specversion", json!("0.3"), UnsupportedSpecversion),
        (REQUEST, "/id", json!(""), InvalidId),
        (REQUEST, "/id", long(129), InvalidId),
        (REQUEST, "/source", json!("a b"), InvalidText),
        (REQUEST, "/time", json!("2026-02-14 09:30:00+08:00"), InvalidTime),
        (REQUEST, "/time", json!("2026-02-14T09:30:00"), InvalidTime),
        (REQUEST, "/time", json!("2026-02-30T09:30:00Z"), InvalidTime),
        (REQUEST, "/data", json!([]), WrongType),
        (REQUEST, "/surprise", json!(1), UnknownField),
        (REQUEST, "/data/surprise", json!(SECRET), UnknownField),
        (REQUEST, "/data/account_id", json!("a b"), InvalidId),
        (REQUEST, "/data/account_id", long(65), InvalidId),
        (REQUEST, "/data/account_id", json!(7), WrongType),
        (REQUEST, "/data/amount", json!(100), InvalidAmount),
        (REQUEST, "/data/amount", json!(100.5), InvalidAmount),
        (REQUEST, "/data/amount", json!(-1), InvalidAmount),
        (REQUEST, "/data/amount", json!("100.001"), InvalidAmount),
        (REQUEST, "/data/amount", json!("1e3"), InvalidAmount),
        (REQUEST, "/data/amount", json!("0.00"), InvalidAmount),
        (REQUEST, "/data/amount", json!("-1"), InvalidAmount),
        (REQUEST, "/data/amount", json!("10000000000000"), InvalidAmount),
        (REQUEST, "/data/amount", json!(null), WrongType),
        (REQUEST, "/data/currency", json!("XXX"), InvalidCurrency),
        (REQUEST, "/data/currency", json!("cny"), InvalidCurrency),
        (REQUEST, "/data/route", json!("cash"), InvalidValue),
        (REQUEST, "/data/transactions", json!("all"), InvalidValue),
        (REQUEST, "/data/transactions", json!([]), InvalidValue),
        (REQUEST, "/data/transactions", json!(["t", "t"]), InvalidValue),
        (REQUEST, "/data/transactions", json!(vec!["t"; 101]), InvalidValue),
        (REQUEST, "/data/transactions/1", json!("a b"), InvalidId),
        (REQUEST, "/data/bank_account/number", json!("1234567"), InvalidText),
        (REQUEST, "/data/bank_account/number", json!(6_222_021_234_567_890_u64), WrongType),
        (REQUEST, "/data/bank_account/number", json!(format!("{SECRET} 1")), InvalidText),
        (REQUEST, "/data/bank_account/cnaps", json!("12"), InvalidText),
        (REQUEST, "/data/bank_account", json!([]), WrongType),
        (REQUEST, "/data/requester", json!(""), InvalidText),
        (REQUEST, "/data/requester", json!("  "), InvalidText),
        (REQUEST, "/data/verification", long(513), InvalidText),
        (DECISION, "/data/withdrawal_id", json!("w-1"), InvalidId),
        (DECISION, "/data/decision", json!("maybe"), InvalidValue),
        (DECISION, "/data/decision", json!({ "approve": null }), WrongType),
        (DECISION, "/data/decision", json!(1), WrongType),
        (DECISION, "/data/reason", long(501), InvalidText),
        (DECISION, "/data/effect_digest", json!("A".repeat(64)), InvalidText),
        (TOP_UP, "/data/version", json!(0), InvalidValue),
        (TOP_UP, "/data/version", json!(-1), WrongType),
        (TOP_UP, "/data/version", json!(1.5), WrongType),
        (TOP_UP, "/data/version", json!(u64::MAX), InvalidValue),
        (TOP_UP, "/data/channel", json!("cash"), InvalidValue),
        (TOP_UP, "/data/bonus", json!("yes"), WrongType),
        (TOP_UP, "/data/bank_account/holder", long(129), InvalidText),
        (TOP_UP, "/data/bank_account/surprise", json!(1), UnknownField),
        (TOP_UP, "/data/bank_account", json!(["A B", "12345678", "ICBC", "x", "102100099996"]), WrongType),
        (BILL, "/data/slices", json!({}), WrongType),
        (BILL, "/data/slices/0", json!(["top-1", "10.00"]), WrongType),
        (UNBILLED, "/data/amount", json!("-0.01"), InvalidAmount),
        (ACCOUNT, "/data/master_account_id", json!("acc-1"), InconsistentFields),
        (ACCOUNT, "/data/partner_mode", json!("friend"), InvalidValue),
    ] {
        refused(&with(example, pointer, value), code, pointer);
    }
}

#[test]
fn a_missing_field_is_named_where_it_should_stand() {
    for (example, pointer) in [
        (REQUEST, "/specversion"),
        (REQUEST, "/id"),
        (REQUEST, "/time"),
        (REQUEST, "/data"),
        (REQUEST, "/data/amount"),
        (REQUEST, "/data/transactions"),
        (DECISION, "/data/actor"),
        (TOP_UP, "/data/version"),
        (TOP_UP, "/data/bank_account"),
        (TOP_UP, "/data/bank_account/cnaps"),
        (BILL, "/data/slices/1/amount"),
    ] {
        refused(&without(example, pointer), Code::MissingField, pointer);
    }
    let body = with(TOP_UP, "/data/channel", json!("alipay"));
    refused(&body, Code::MissingField, "/data/trade_no");
}

#[test]
fn fields_that_contradict_each_other_are_refused() {
    let mut wallet: Value = serde_json::from_str(TOP_UP).unwrap();
    wallet["data"]["channel"] = "wechat".into();
    wallet["data"]["trade_no"] = "42".into();
    let body = serde_json::to_vec(&wallet).unwrap();
    refused(&body, Code::InconsistentFields, "/data/bank_account");
    wallet["data"].as_object_mut().unwrap().remove("bank_account");
    parse(&serde_json::to_vec(&wallet).unwrap()).unwrap();

    refused(&with(BILL, "/data/slices/0/amount", json!("11")), Code::InconsistentFields, "/data/slices");
    refused(
        &with(BILL, "/data/slices/0/top_up_id", json!("top-2")),
        Code::InconsistentFields,
        "/data/slices",
    );
    let yen = String::from_utf8(with(UNBILLED, "/data/currency", json!("JPY"))).unwrap();
    refused(&with(&yen, "/data/amount", json!("1.5")), Code::InvalidAmount, "/data/amount");
}

#[test]
fn a_body_that_is_no_message_is_refused_as_a_whole() {
    use Code::*;
    let deep = |levels: usize| [vec![b'['; levels], vec![b']'; levels]].concat();
    let too_deep = "/0".repeat(DEPTH_LIMIT - 1);
    let large = format!("\"{}\"", "a".repeat(BODY_LIMIT_BYTES));
    for (body, code, pointer) in [
        (b"".as_slice(), NotJson, ""),
        (b"hello", NotJson, ""),
        (b"{", NotJson, ""),
        (b"{} {}", NotJson, ""),
        (b"\xEF\xBB\xBF{}", NotJson, ""),
        (b"\"\xFF\"", NotJson, ""),
        (b"{\"a\":1e999}", NotJson, ""),
        (b"{\"a\":NaN}", NotJson, ""),
        (b"[]", WrongType, ""),
        (b"null", WrongType, ""),
        (b"\"text\"", WrongType, ""),
        (b"{\"a\":1,\"a\":1}", DuplicateField, "/a"),
        (b"{\"a\":[{},{\"b~/c\":1,\"b~/c\":1}]}", DuplicateField, "/a/1/b~0~1c"),
        (b"{\"a\":[\"x\\u0000\"]}", ControlCharacter, "/a/0"),
        (b"{\"a\":\"x\\n\"}", ControlCharacter, "/a"),
        (b"{\"a\\u0000\":1}", ControlCharacter, "/a?"),
        (b"{\"a\":\"\\ud800\"}", NotJson, ""),
        (&deep(DEPTH_LIMIT), TooDeep, &too_deep),
        (&deep(200), TooDeep, &too_deep),
        (large.as_bytes(), BodyTooLarge, ""),
    ] {
        refused(body, code, pointer);
    }
}

#[test]
fn a_queue_takes_its_own_types_only() {
    for problem in [
        parse_request(DECISION.as_bytes()).unwrap_err(),
        parse_instruction(REQUEST.as_bytes()).unwrap_err(),
        parse_fact(REQUEST.as_bytes()).unwrap_err(),
    ] {
        assert_eq!((&*problem.code, problem.pointer.as_deref()), ("unknown_type", Some("/type")));
    }
}

#[test]
fn an_amount_as_a_number_is_told_how_to_be_written() {
    let problem = refused(&with(REQUEST, "/data/amount", json!(100.0)), Code::InvalidAmount, "/data/amount");
    assert!(problem.detail.contains("decimal strings such as \"100.00\""), "{problem}");
}

#[test]
fn secrets_are_masked_wherever_a_message_is_shown() {
    let request = parse_request(REQUEST.as_bytes()).unwrap();
    let shown = format!("{request:?}");
    assert!(shown.contains("****0123") && !shown.contains(SECRET), "{shown}");
    assert!(!shown.contains("eyJhIjoxfQ"), "{shown}");
    let top_up = format!("{:?}", parse_fact(TOP_UP.as_bytes()).unwrap());
    assert!(top_up.contains("****0123") && !top_up.contains(SECRET), "{top_up}");

    // A number that somebody sends as the name of a field, or as a wrong word.
    let pointer = format!("/data/{SECRET}");
    let problem = parse(&with(REQUEST, &pointer, json!(1))).unwrap_err();
    assert_eq!(&*problem.code, "unknown_field");
    assert!(!problem.to_json().contains(SECRET), "{problem}");
    refused(&with(REQUEST, "/data/route", json!(SECRET)), Code::InvalidValue, "/data/route");
}

#[test]
fn equal_requests_have_one_digest_however_they_are_written() {
    use broker::contract::{canonical_digest, differing_fields};
    let canonical = |body: &[u8]| parse_request(body).unwrap().data.canonical();
    let first = canonical(REQUEST.as_bytes());
    for (pointer, value, differing) in [
        ("/data/amount", json!("100"), vec![]),
        ("/data/requested_at", json!("2026-02-14T01:29:58Z"), vec![]),
        ("/id", json!("another"), vec![]),
        ("/data/amount", json!("100.01"), vec!["amount"]),
        ("/data/bank_account/number", json!("62220212345678901"), vec!["bank_account.number"]),
        ("/data/transactions", json!("auto"), vec!["transactions"]),
    ] {
        let second = canonical(&with(REQUEST, pointer, value));
        assert_eq!(differing_fields(&first, &second), differing, "{pointer}");
        assert_eq!(canonical_digest(&first) == canonical_digest(&second), differing.is_empty(), "{pointer}");
    }
}

/// Bytes that look more like a message than noise does: an example with a few
/// bytes replaced, cut or doubled.
fn nearly() -> impl Strategy<Value = Vec<u8>> {
    let examples = prop_oneof![proptest::strategy::Just(REQUEST), proptest::strategy::Just(TOP_UP)];
    (examples, proptest::collection::vec((any::<usize>(), any::<u8>()), 0..6)).prop_map(
        |(example, changes)| {
            let mut body = example.as_bytes().to_vec();
            for (place, byte) in changes {
                let place = place % body.len();
                match byte % 3 {
                    0 => body[place] = byte,
                    1 => drop(body.remove(place)),
                    _ => body.insert(place, b"\"{}[]:,\\0"[usize::from(byte) % 9]),
                }
            }
            body
        },
    )
}

proptest! {
    #[test]
    fn no_bytes_make_a_parser_panic(body in prop_oneof![nearly(), proptest::collection::vec(any::<u8>(), 0..256)]) {
        for problem in [
            parse_fact(&body).err(), parse_request(&body).err(), parse_instruction(&body).err(),
            parse_event(&body).err(), parse_nudge(&body).err(),
        ].into_iter().flatten() {
            let json: Value = serde_json::from_str(&problem.to_json()).unwrap();
            assert!(json["pointer"].is_string());
            assert!(!problem.to_json().contains(SECRET));
        }
    }
}
