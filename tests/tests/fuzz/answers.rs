//! Each adapter's answers, changed between the simulator and the adapter.
//!
//! With signatures on, a changed answer may say nothing certain. With signatures
//! off the parsers behind them are reached: whatever comes, they answer.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Response, StatusCode};
use chrono::{NaiveDate, TimeZone as _, Utc};
use domain::{Money, Rail};
use gateways::{Finding, GatewaySettings, Gateways, Limits, Order, Outcome, Payee, Signing, SourceTrade};
use serde_json::json;
use simulator::{Running, Simulator};
use tokio::net::TcpListener;

use crate::mutation::{Mutator, rounds};

const RAILS: [Rail; 4] = [Rail::Alipay, Rail::WeChat, Rail::UnionPay, Rail::Bank];

const LIMITS: Limits =
    Limits { connect: Duration::from_secs(2), total: Duration::from_secs(5), body_max: 1 << 20 };

/// Somebody between the two who changes every answer, or none.
struct Meddler {
    server: String,
    http: reqwest::Client,
    mutator: Mutex<Option<Mutator>>,
}

impl Meddler {
    async fn open(server: &str) -> (Arc<Self>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let http = reqwest::Client::new();
        let meddler = Arc::new(Self { server: server.to_owned(), http, mutator: Mutex::new(None) });
        let app = Router::new().fallback(pass).with_state(Arc::clone(&meddler));
        tokio::spawn(async move { axum::serve(listener, app).await });
        (meddler, url)
    }

    fn meddle(&self, mutator: Option<Mutator>) {
        *self.mutator.lock().expect("nobody panics with it in hand") = mutator;
    }
}

/// Passes a request on, and its answer back, changed.
async fn pass(State(meddler): State<Arc<Meddler>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.expect("a request of ours");
    let url = format!("{}{}", meddler.server, parts.uri);
    let mut sent = meddler.http.request(parts.method, url).body(body);
    for (name, value) in parts.headers.iter().filter(|(name, _)| *name != "host" && *name != "content-length")
    {
        sent = sent.header(name, value);
    }
    let answer = sent.send().await.expect("the simulator answers");
    let mut builder =
        Response::builder().status(StatusCode::from_u16(answer.status().as_u16()).expect("a status"));
    for (name, value) in answer.headers().iter().filter(|(name, _)| *name != "content-length") {
        builder = builder.header(name, value);
    }
    let mut body = answer.bytes().await.expect("a body").to_vec();
    if let Some(mutator) = meddler.mutator.lock().expect("nobody panics with it in hand").as_mut() {
        let truth = body.clone();
        while body == truth {
            body = mutator.vary(truth.clone());
        }
    }
    builder.body(Body::from(body)).expect("headers that came in")
}

/// A simulator, somebody between, and adapters that talk to them.
async fn bench(signing: Signing) -> (Running, Arc<Meddler>, Gateways, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let keys = tests::repository().join("crates/simulator/tests/fixtures/keys");
    let mut options = simulator::Options::on_loopback(keys.clone(), folder.path().join("book.jsonl"));
    options.switches.limits = simulator::Limits::Off;
    options.switches.notices = simulator::Notices::Off;
    let simulator = Simulator::start(options).await.expect("a simulator");
    let (meddler, url) = Meddler::open(simulator.base_url()).await;
    let mut settings = GatewaySettings::from_key_folder(&keys, &url, LIMITS).expect("keys");
    settings.signing = signing;
    let gateways = Gateways::new(&settings).expect("gateways");
    (simulator, meddler, gateways, folder)
}

/// An order of one fen, whose trade the simulator knows.
fn order(simulator: &Running, rail: Rail) -> Order {
    let trade_no = "202611201000100334242".to_owned();
    if rail != Rail::Bank {
        let trade = json!({ "channel": rail.to_string(), "trade_no": trade_no, "out_trade_no": "T1", "total_fen": 1_000_000 });
        let trade = serde_json::from_value(trade).expect("a trade of the simulator");
        simulator.register(vec![trade]).expect("it is registered");
    }
    Order {
        payout_no: "WD20261123000000011".to_owned(),
        amount: Money::from_minor(1),
        minted_at: Utc.with_ymd_and_hms(2026, 11, 23, 2, 0, 0).single().expect("a moment"),
        source: Some(SourceTrade {
            trade_no,
            out_trade_no: Some("T1".to_owned()),
            total: Money::from_minor(1_000_000),
        }),
        payee: Some(Payee {
            holder: "张三".to_owned(),
            number: "6217000000004242".into(),
            bank_name: String::new(),
            branch: String::new(),
            cnaps: "105100000017".to_owned(),
        }),
        execute_on: NaiveDate::from_ymd_opt(2026, 11, 23).expect("a day"),
        reason: "提现退款".to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_was_changed_on_its_way_says_nothing_certain() {
    let (simulator, meddler, gateways, _folder) = bench(Signing::On).await;
    for rail in RAILS {
        let (gateway, order) = (gateways.of(rail), order(&simulator, rail));
        meddler.meddle(None);
        let truth = gateway.pay(&order).await;
        assert!(matches!(truth, Outcome::Succeeded { .. } | Outcome::Pending { .. }), "{rail}: {truth:?}");
        let found = gateway.find(&order).await;
        meddler.meddle(Some(Mutator::new(vec![Vec::new()])));
        for round in 0..rounds() / 60 {
            let paid = gateway.pay(&order).await;
            let certain = !matches!(paid, Outcome::Unknown { .. });
            // Blanks that nobody signs may change, and then the truth is still told.
            assert!(!certain || is_same(&paid, &truth), "{rail} round {round}: {paid:?}");
            let again = gateway.find(&order).await;
            let certain = !matches!(again, Finding::Unknown { .. });
            assert!(!certain || again == found, "{rail} round {round}: {again:?}");
        }
    }
    simulator.stop().await;
}

/// Whether two outcomes claim the same about the money.
fn is_same(one: &Outcome, other: &Outcome) -> bool {
    let rank = |it: &Outcome| matches!(it, Outcome::Succeeded { .. } | Outcome::Pending { .. });
    rank(one) && rank(other)
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_an_unsigned_answer_says_the_adapter_answers() {
    let (simulator, meddler, gateways, _folder) = bench(Signing::Off).await;
    for rail in RAILS {
        let (gateway, order) = (gateways.of(rail), order(&simulator, rail));
        meddler.meddle(None);
        let _ = gateway.pay(&order).await;
        meddler.meddle(Some(Mutator::new(vec![b"{\"code\":\"SUCCESS\"}".to_vec(), b"<a/>".to_vec()])));
        for _ in 0..rounds() / 30 {
            // A panic in here ends the test.
            let _ = gateway.pay(&order).await;
            let _ = gateway.find(&order).await;
        }
    }
    simulator.stop().await;
}
