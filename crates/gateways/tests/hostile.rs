//! Whatever a broken or hostile peer does, money that may have moved is unknown.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Response, StatusCode};
use chrono::{NaiveDate, TimeZone as _, Utc};
use domain::{Money, Rail};
use gateways::{Finding, Gateways, Limits, Order, Outcome, Payee, SourceTrade};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

const RAILS: [Rail; 4] = [Rail::Alipay, Rail::WeChat, Rail::UnionPay, Rail::Bank];

const LIMITS: Limits =
    Limits { connect: Duration::from_secs(2), total: Duration::from_millis(400), body_max: 4_096 };

fn order() -> Order {
    Order {
        payout_no: "WD20261123000000011".to_owned(),
        amount: Money::from_minor(1_234),
        minted_at: Utc.with_ymd_and_hms(2026, 11, 23, 2, 0, 0).single().expect("a moment"),
        source: Some(SourceTrade {
            trade_no: "202611201000100336758".to_owned(),
            out_trade_no: None,
            total: Money::from_minor(10_000),
        }),
        payee: Some(Payee {
            holder: "张三".to_owned(),
            number: "6217000000000000000".into(),
            bank_name: String::new(),
            branch: String::new(),
            cnaps: "105100000017".to_owned(),
        }),
        execute_on: NaiveDate::from_ymd_opt(2026, 11, 23).expect("a day"),
        reason: "提现退款".to_owned(),
    }
}

fn gateways(base_url: &str) -> Gateways {
    let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys");
    Gateways::from_key_folder(&keys, base_url, LIMITS).expect("the keys of the vectors")
}

/// Makes the one answer of a server.
type Make = fn() -> Response<Body>;

/// Headers of a signature that nobody made.
const FORGED: &[(&str, &str)] = &[
    ("x-signature", "AAAA"),
    ("wechatpay-signature", "AAAA"),
    ("wechatpay-timestamp", "1"),
    ("wechatpay-serial", "PUB_KEY_ID_0119000001092026112300000000000001"),
];

/// A server that gives every request the same answer; counts the requests.
async fn serve(answer: Make) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let base_url = format!("http://{}", listener.local_addr().expect("it is bound"));
    let requests = Arc::new(AtomicUsize::new(0));
    let counted = requests.clone();
    let handler = move || {
        counted.fetch_add(1, Ordering::SeqCst);
        async move { answer() }
    };
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(handler)).await });
    (base_url, requests)
}

fn answer(status: u16, headers: &[(&str, &str)], body: impl Into<Body>) -> Response<Body> {
    let mut builder = Response::builder().status(StatusCode::from_u16(status).expect("a status"));
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    builder.body(body.into()).expect("headers are ASCII")
}

async fn assert_doubt(name: &str, base_url: &str) {
    let gateways = gateways(base_url);
    let order = order();
    for rail in RAILS {
        let outcome = gateways.of(rail).pay(&order).await;
        assert!(matches!(outcome, Outcome::Unknown { .. }), "{name} {rail}: {outcome:?}");
        let finding = gateways.of(rail).find(&order).await;
        assert!(matches!(finding, Finding::Unknown { .. }), "{name} {rail}: {finding:?}");
    }
}

#[tokio::test]
async fn no_answer_that_is_broken_forged_or_too_long_ends_a_payment() {
    let cases: [(&str, Make); 11] = [
        ("garbage", || answer(200, &[], "\u{fffd}{<garbage")),
        ("bytes that are no text", || answer(200, &[], vec![0xff; 64])),
        ("nothing", || answer(200, &[], "")),
        ("unsigned success", || {
            answer(200, &[], r#"{"alipay_trade_refund_response":{"code":"10000","fund_change":"Y"}}"#)
        }),
        ("forged refusal", || answer(403, FORGED, r#"{"code":"USER_ACCOUNT_ABNORMAL","message":""}"#)),
        ("forged not-found", || answer(404, FORGED, r#"{"code":"RESOURCE_NOT_EXISTS","message":""}"#)),
        ("probe of the signature check", || {
            answer(200, &[("wechatpay-signature", "WECHATPAY/SIGNTEST/AAAA")], "{}")
        }),
        ("error of a server", || answer(500, &[], r#"{"code":"SYSTEM_ERROR"}"#)),
        ("unavailable", || answer(503, &[], "")),
        ("not found of a proxy", || answer(404, &[], "not found")),
        ("too long", || answer(200, &[], vec![b'a'; 4_097])),
    ];
    for (name, make) in cases {
        let (base_url, _) = serve(make).await;
        assert_doubt(name, &base_url).await;
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_no_call_is_repeated() {
    let (base_url, requests) = serve(|| answer(307, &[("location", "/elsewhere")], "")).await;
    assert_doubt("redirect", &base_url).await;
    assert_eq!(requests.load(Ordering::SeqCst), 2 * RAILS.len(), "one request per call");
}

#[tokio::test]
async fn silence_ends_at_the_total_limit() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            open.push(stream);
        }
    });
    assert_doubt("silence", &base_url).await;
}

#[tokio::test]
async fn a_connection_that_breaks_in_the_middle_is_a_doubt() {
    for (name, bytes) in [
        ("at once", &b""[..]),
        ("in the head", b"HTTP/1.1 200 OK\r\ncontent-le"),
        ("in the body", b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"alipay"),
        ("not HTTP", b"SSH-2.0-OpenSSH\r\n\r\n"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut head = [0; 16_384];
                let _ = tokio::io::AsyncReadExt::read(&mut stream, &mut head).await;
                let _ = stream.write_all(bytes).await;
            }
        });
        assert_doubt(name, &base_url).await;
    }
}

#[tokio::test]
async fn a_request_that_never_left_may_go_again_but_a_query_still_knows_nothing() {
    let unused = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let base_url = format!("http://{}", unused.local_addr().unwrap());
    drop(unused);
    let gateways = gateways(&base_url);
    for rail in RAILS {
        let outcome = gateways.of(rail).pay(&order()).await;
        assert!(matches!(outcome, Outcome::RetryLater { .. }), "{rail}: {outcome:?}");
        let finding = gateways.of(rail).find(&order()).await;
        assert!(matches!(finding, Finding::Unknown { .. }), "{rail}: {finding:?}");
    }
}

#[tokio::test]
async fn an_order_that_is_not_complete_fails_without_a_request() {
    let (base_url, requests) = serve(|| answer(200, &[], "")).await;
    let gateways = gateways(&base_url);
    let incomplete = Order { source: None, payee: None, ..order() };
    for rail in RAILS {
        let outcome = gateways.of(rail).pay(&incomplete).await;
        let refused = matches!(&outcome, Outcome::Failed { code, .. } if code == "order_incomplete");
        assert!(refused, "{rail}: {outcome:?}");
    }
    assert_eq!(requests.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn an_unsigned_refusal_of_wechat_is_believed_as_documented() {
    let (base_url, _) = serve(|| answer(400, &[], r#"{"code":"PARAM_ERROR","message":"参数错误"}"#)).await;
    let outcome = gateways(&base_url).of(Rail::WeChat).pay(&order()).await;
    assert!(matches!(outcome, Outcome::Failed { .. }), "{outcome:?}");
}

#[tokio::test]
async fn connections_are_kept_alive() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    let accepted = Arc::new(AtomicUsize::new(0));
    let counted = accepted.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                let mut request = [0; 16_384];
                while matches!(tokio::io::AsyncReadExt::read(&mut stream, &mut request).await, Ok(1..)) {
                    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await;
                }
            });
        }
    });
    let gateways = gateways(&base_url);
    for _ in 0..10 {
        gateways.of(Rail::Alipay).find(&order()).await;
    }
    assert_eq!(accepted.load(Ordering::SeqCst), 1);
}
