//! Nearly right bytes for everything that reads what others wrote.
//!
//! Nothing may panic, and nothing that was changed on its way may be believed. The
//! corpus is in `tests/fuzz/`; `OUTFLOW_FUZZ_ROUNDS=1000000` makes a long run of it.

#[path = "fuzz/answers.rs"]
mod answers;
#[path = "fuzz/mutation.rs"]
mod mutation;

use broker::contract::{parse_event, parse_fact, parse_instruction, parse_nudge, parse_request};
use domain::{Currency, Money, Rail};
use gateways::{GatewaySettings, Gateways, Limits, Notice, Statement, StatementError};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use crate::mutation::{Mutator, feed, files, rounds};

const EXAMPLES: &str = "crates/broker/schemas/examples";
const VECTORS: &str = "crates/gateways/tests/vectors";

#[test]
fn a_request_is_read_whole_or_refused() {
    feed("requests", files(EXAMPLES), |body| {
        let Ok(read) = parse_request(body) else { return };
        assert!(read.data.amount.money(read.data.currency) > Money::ZERO);
        // What was understood can be said again, and is understood the same.
        let again = parse_request(&read.to_json()).expect("it was read before");
        assert_eq!(again, read);
    });
}

#[test]
fn a_fact_is_read_whole_or_refused() {
    feed("facts", files(EXAMPLES), |body| {
        if let Ok(read) = parse_fact(body) {
            assert!(read.data.version() > 0);
            assert_eq!(parse_fact(&read.to_json()).expect("it was read before"), read);
        }
    });
}

#[test]
fn a_decision_is_read_whole_or_refused() {
    feed("decisions", files(EXAMPLES), |body| {
        if let Ok(read) = parse_instruction(body) {
            assert_eq!(parse_instruction(&read.to_json()).expect("it was read before"), read);
        }
        // A nudge is a few ids and nothing else.
        let _ = parse_nudge(body);
    });
}

#[test]
fn an_event_is_read_whole_or_refused() {
    feed("events", files(EXAMPLES), |body| {
        let _ = parse_event(body);
    });
}

/// `^(0|[1-9][0-9]{0,12})(\.[0-9]{1,2})?$`, written once more.
fn is_amount(text: &str) -> bool {
    let (whole, fraction) = text.split_once('.').map_or((text, None), |(whole, rest)| (whole, Some(rest)));
    let digits = |part: &str| !part.is_empty() && part.chars().all(|it| it.is_ascii_digit());
    let is_whole = digits(whole) && whole.len() <= 13 && (whole == "0" || !whole.starts_with('0'));
    is_whole && fraction.is_none_or(|it| digits(it) && it.len() <= 2)
}

#[test]
fn an_amount_is_exactly_what_the_grammar_says() {
    feed("amounts", Vec::new(), |bytes| {
        let text = String::from_utf8_lossy(bytes);
        match Money::parse(&text, Currency::Cny) {
            Ok(money) => {
                assert!(is_amount(&text), "{text:?} was read as {money:?}");
                assert_eq!(Money::parse(&money.to_text(Currency::Cny), Currency::Cny), Ok(money));
            }
            Err(_) => assert!(!is_amount(&text), "{text:?} was refused"),
        }
    });
}

#[test]
fn a_statement_is_read_whole_or_refused() {
    let mut seeds = files(&format!("{VECTORS}/statements"));
    seeds.extend(files(&format!("{VECTORS}/bank")));
    let sound = |read: Result<Statement, StatementError>| {
        if let Ok(statement) = read {
            assert!(statement.rows.iter().all(|row| row.amount > Money::ZERO), "{statement:?}");
        }
    };
    feed("statements", seeds, |bytes| {
        sound(gateways::read_alipay(bytes));
        sound(gateways::read_wechat(bytes));
        sound(gateways::read_bank(bytes));
        sound(gateways::read_unionpay(&String::from_utf8_lossy(bytes)));
    });
}

#[tokio::test]
async fn a_scenario_is_played_or_refused_with_its_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let keys = tests::repository().join("crates/simulator/tests/fixtures/keys");
    let options = simulator::Options::on_loopback(keys, folder.path().join("book.jsonl"));
    let simulator = simulator::Simulator::start(options).await.expect("a simulator");
    feed("scenarios", Vec::new(), |bytes| {
        if let Err(refusal) = simulator.load_scenario(&String::from_utf8_lossy(bytes)) {
            assert!(!refusal.to_string().is_empty());
        }
    });
    simulator.stop().await;
}

/// The moment at which the vectors were signed.
const SIGNED_AT: i64 = 1_795_399_205;

/// Rail, headers and body of a genuine notice of each channel that signs one.
fn genuine() -> Vec<(Rail, HeaderMap, Vec<u8>)> {
    let vector = |name: &str| -> Value {
        let path = tests::repository().join(VECTORS).join(name);
        let text = std::fs::read_to_string(path).expect("a vector");
        serde_json::from_str::<Value>(&text).expect("JSON")["notify"].clone()
    };
    let (alipay, wechat, unionpay) = (vector("alipay.json"), vector("wechat.json"), vector("unionpay.json"));
    let headers = wechat["headers"].as_object().expect("headers").iter().map(|(name, value)| {
        let name = HeaderName::from_bytes(name.to_lowercase().as_bytes()).expect("a name");
        (name, HeaderValue::from_str(value.as_str().expect("a text")).expect("a value"))
    });
    let body = |value: &Value| value.as_str().expect("a text").as_bytes().to_vec();
    vec![
        (Rail::Alipay, HeaderMap::new(), body(&alipay["http_body"])),
        (Rail::WeChat, headers.collect(), body(&wechat["body"])),
        (Rail::UnionPay, HeaderMap::new(), body(&unionpay["http_body_urlencoded"])),
    ]
}

#[test]
fn a_notice_that_was_changed_on_its_way_is_never_believed() {
    let keys = tests::repository().join("crates/gateways/tests/keys");
    let mut settings =
        GatewaySettings::from_key_folder(&keys, "http://127.0.0.1:1", Limits::default()).expect("keys");
    settings.clock = || SIGNED_AT;
    let gateways = Gateways::new(&settings).expect("gateways");
    // Each costs an RSA verification.
    let rounds = rounds() / 5;
    for (rail, headers, body) in genuine() {
        let truth: Vec<Notice> = gateways.notices(rail, &headers, &body).expect("it is genuine");
        for changed in Mutator::new(vec![body.clone()]).all(rounds) {
            if let Ok(believed) = gateways.notices(rail, &headers, &changed) {
                // Spelled otherwise, such as `%20` for `+`, and still the same.
                assert_eq!(believed, truth, "{rail} {}", String::from_utf8_lossy(&changed));
            }
        }
        for (name, value) in &headers {
            for changed in Mutator::new(vec![value.as_bytes().to_vec()]).all(rounds / 10) {
                let Ok(changed) = HeaderValue::from_bytes(&changed) else { continue };
                let mut headers = headers.clone();
                headers.insert(name.clone(), changed);
                if let Ok(believed) = gateways.notices(rail, &headers, &body) {
                    assert_eq!(believed, truth, "{rail} {name}");
                }
            }
        }
    }
}
