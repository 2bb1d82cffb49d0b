//! Answers that nine SDKs of other makers accepted, verified by our own code.

use std::path::Path;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use crate::certificate::Certificate;
use crate::{GatewaySettings, Gateways, Limits};

/// The recordings, by name.
const RECORDINGS: [(&str, &str); 9] = [
    ("alipay-sdk-python", include_str!("../tests/recorded/alipay-sdk-python_3.7.1411.json")),
    ("alipay-sdk npm", include_str!("../tests/recorded/alipay-sdk_npm_4.14.0.json")),
    ("python-alipay-sdk", include_str!("../tests/recorded/python-alipay-sdk_3.4.0.json")),
    ("node-unionpay-sdk", include_str!("../tests/recorded/node-unionpay-sdk_0.0.7.json")),
    ("python-unionpay", include_str!("../tests/recorded/python-unionpay_demo.json")),
    ("wechatpay-axios-plugin", include_str!("../tests/recorded/wechatpay-axios-plugin_0.9.6.json")),
    ("wechatpay-go", include_str!("../tests/recorded/wechatpay-go_0.2.21.json")),
    ("wechatpay-node-v3", include_str!("../tests/recorded/wechatpay-node-v3_2.2.1.json")),
    ("wechatpayv3", include_str!("../tests/recorded/wechatpayv3_2.0.4.json")),
];

/// A moment at which the certificates of the recordings are valid.
const NOW: i64 = 1_795_396_330;

fn gateways() -> Gateways {
    let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys");
    let mut settings =
        GatewaySettings::from_key_folder(&keys, "http://127.0.0.1:1", Limits::default()).unwrap();
    settings.clock = || NOW;
    Gateways::new(&settings).unwrap()
}

fn headers(answer: &Value) -> HeaderMap {
    let header = |(name, value): (&String, &Value)| {
        let name = HeaderName::from_bytes(name.to_lowercase().as_bytes()).unwrap();
        (name, HeaderValue::from_str(value.as_str().unwrap()).unwrap())
    };
    answer["headers"].as_object().unwrap().iter().map(header).collect()
}

/// Whether the answer of a recording verifies, with `body` in its place.
fn verifies(gateways: &Gateways, sdk: &str, answer: &Value, body: &str) -> bool {
    let body = body.as_bytes();
    if sdk.contains("alipay") {
        let node = answer["body"].as_str().unwrap().split('"').nth(1).unwrap();
        let method = node.trim_end_matches("_response").replace('_', ".");
        gateways.alipay.recorded(&method, body).is_ok()
    } else if sdk.contains("unionpay") {
        gateways.unionpay.recorded(body, NOW).is_ok()
    } else {
        gateways.wechat.recorded(&headers(answer), body, NOW).is_ok()
    }
}

#[test]
fn every_recorded_answer_verifies_and_no_changed_one_does() {
    let gateways = gateways();
    let mut answers = 0;
    for (sdk, text) in RECORDINGS {
        let recording: Value = serde_json::from_str(text).unwrap();
        for (call, exchange) in recording.as_object().unwrap() {
            let answer = &exchange["response"];
            let body = answer["body"].as_str().unwrap();
            assert!(verifies(&gateways, sdk, answer, body), "{sdk} {call}");
            let changed = body.replacen('1', "2", 1);
            assert_ne!(changed, body, "{sdk} {call}: the change must change something");
            assert!(!verifies(&gateways, sdk, answer, &changed), "{sdk} {call}, changed");
            answers += 1;
        }
    }
    assert!(answers >= 18, "{answers} answers of nine SDKs");
}

#[test]
fn the_platform_certificates_of_a_recording_open_under_our_key() {
    let gateways = gateways();
    for (sdk, text) in RECORDINGS {
        let recording: Value = serde_json::from_str(text).unwrap();
        if let Some(body) = recording["certificates"]["response"]["body"].as_str() {
            let pems = gateways.wechat.unseal(body.as_bytes()).unwrap();
            let serials: Vec<_> =
                pems.iter().map(|pem| Certificate::from_pem(pem).unwrap().serial_hex()).collect();
            assert_eq!(serials, ["4BD1A7E23C5F60718293A4B5C6D7E8F90A1B2C3D"], "{sdk}");
        }
    }
}
