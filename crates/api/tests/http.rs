//! The API over real HTTP, on a real database and a real broker.

#![expect(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

use api::State;
use broker::{Connections, topology};
use chrono::{DateTime, Utc};
use devstack::{Options, Stack};
use domain::{Currency, LegState, Money, Rail, Route, WithdrawalState};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use store::Database;
use store::legs::{self, Leg};
use store::withdrawals::{self, Withdrawal};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// A server with an empty schema, and what a test needs to talk to it.
struct Server {
    _stack: Stack,
    database: Database,
    base_url: String,
    stop: CancellationToken,
    served: tokio::task::JoinHandle<std::io::Result<()>>,
}

async fn server() -> Server {
    let stack = Stack::start(Options::default()).await.unwrap();
    let database = Database::connect(&stack.fresh_database("api").await.unwrap(), 4).await.unwrap();
    database.migrate().await.unwrap();
    let connections = Connections::open(&stack.fresh_vhost().await.unwrap(), "test").await.unwrap();
    topology::apply(&connections).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    let stop = CancellationToken::new();
    let state = State::new(database.clone(), connections, stop.clone());
    let served = tokio::spawn(api::serve(listener, state));
    Server { _stack: stack, database, base_url, stop, served }
}

impl Server {
    async fn ask(&self, method: Method, path: &str, body: Vec<u8>) -> (StatusCode, String, String) {
        let client = reqwest::Client::new();
        let answer =
            client.request(method, format!("{}{path}", self.base_url)).body(body).send().await.unwrap();
        let kind = answer.headers().get("content-type").map(|it| it.to_str().unwrap().to_owned());
        (answer.status(), kind.unwrap_or_default(), answer.text().await.unwrap())
    }

    async fn get(&self, path: &str) -> (StatusCode, String, String) {
        self.ask(Method::GET, path, Vec::new()).await
    }
}

fn at() -> DateTime<Utc> {
    "2026-09-23T01:30:00Z".parse().unwrap()
}

fn withdrawal() -> Withdrawal {
    Withdrawal {
        id: Uuid::now_v7(),
        source: "/shop/console".to_owned(),
        request_id: "R1".to_owned(),
        account_id: "acct-1".to_owned(),
        digest: vec![1; 32],
        amount: Money::from_minor(8_880),
        currency: Currency::Cny,
        route: Route::BankCard,
        requester: "li.wei".to_owned(),
        bank_account_id: None,
        state: WithdrawalState::Processing,
        held_from: None,
        held_because: None,
        sequence: 4,
        reasons: json!([]),
        terms: json!({}),
        effect_digest: Some(vec![0xab; 32]),
        traceparent: None,
        requested_at: at(),
        received_at: at(),
        approved_at: Some(at()),
        deadline_at: Some(at()),
        deadline_provisional: false,
        expires_at: None,
    }
}

fn leg(withdrawal: &Withdrawal) -> Leg {
    Leg {
        id: Uuid::now_v7(),
        withdrawal_id: withdrawal.id,
        account_id: withdrawal.account_id.clone(),
        top_up_id: Uuid::now_v7(),
        top_up_upstream_id: "T1".to_owned(),
        position: 0,
        generation: 1,
        predecessor_id: None,
        rail: Rail::Bank,
        bank_account_id: Some(Uuid::now_v7()),
        payee_last_four: Some("0042".to_owned()),
        amount: withdrawal.amount,
        payout_no: "P1".to_owned(),
        minted_at: at(),
        state: LegState::Scheduled,
        sequence: 1,
        dispatch_at: Some(at()),
        execute_on: None,
        nudged_at: None,
        deadline_at: Some(at()),
        deadline_provisional: false,
        lease_until: None,
        attempts: 0,
        queries: 0,
        asked: 0,
        check_at: None,
        doubted_at: None,
        reference: None,
        code: None,
        detail: None,
        paid_at: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawal_is_shown_leg_by_leg_with_its_payee_masked() {
    let server = server().await;
    let (row, requests) = (withdrawal(), [json!({})]);
    let mut tx = server.database.begin().await.unwrap();
    withdrawals::insert(&mut tx, std::slice::from_ref(&row), &requests, at()).await.unwrap();
    // What was decided later than received is written by an update.
    withdrawals::update(&mut tx, &[Withdrawal { sequence: 5, ..row.clone() }], at()).await.unwrap();
    legs::insert(&mut tx, &[leg(&row)], at()).await.unwrap();
    tx.commit().await.unwrap();

    let (status, kind, body) = server.get(&format!("/v1/withdrawals/{}", row.id)).await;
    assert_eq!((status, kind.as_str()), (StatusCode::OK, "application/json"), "{body}");
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["withdrawal_id"], json!(row.id));
    assert_eq!((&body["state"], &body["sequence"]), (&json!("processing"), &json!(5)));
    assert_eq!((&body["amount"], &body["currency"]), (&json!("88.80"), &json!("CNY")));
    assert_eq!(body["request"], json!({ "source": "/shop/console", "id": "R1" }));
    assert_eq!(body["effect_digest"], json!("ab".repeat(32)));
    assert_eq!(body["legs"].as_array().unwrap().len(), 1);
    assert_eq!(body["legs"][0]["payee_last_four"], json!("0042"));
    assert_eq!(body["legs"][0]["state"], json!("scheduled"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_answered_is_a_problem() {
    let server = server().await;
    let nobody = format!("/v1/withdrawals/{}", Uuid::nil());
    let large = vec![b'x'; api::BODY_MAX_BYTES + 1];
    for (method, path, body, status, code) in [
        (Method::GET, nobody.as_str(), vec![], 404, "no_such_withdrawal"),
        (Method::GET, "/v1/withdrawals/12", vec![], 404, "no_such_withdrawal"),
        (Method::GET, "/v1/withdrawals/%ff", vec![], 400, "bad_request"),
        (Method::GET, "/nowhere", vec![], 404, "no_such_resource"),
        (Method::POST, "/healthz", vec![], 405, "method_not_allowed"),
        (Method::GET, "/healthz", large, 413, "body_too_large"),
    ] {
        let (answered, kind, text) = server.ask(method, path, body).await;
        assert_eq!(
            (answered.as_u16(), kind.as_str()),
            (status, "application/problem+json"),
            "{path}: {text}"
        );
        let problem: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&problem["code"], &problem["status"]), (&json!(code), &json!(status)), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn probes_and_metrics_answer_and_a_stop_ends_the_server() {
    let server = server().await;
    assert_eq!(server.get("/healthz").await.2, "alive\n");
    assert_eq!(server.get("/readyz").await.2, "ready\n");
    let (status, kind, text) = server.get("/metrics").await;
    assert_eq!(status, StatusCode::OK);
    assert!(kind.starts_with("text/plain; version=0.0.4"), "{kind}");
    assert!(text.contains("\noutflow_withdrawals 0\n"), "{text}");

    server.database.close().await;
    let (status, _, text) = server.get("/readyz").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(text.contains("\"not_ready\"") && text.contains("database"), "{text}");
    assert_eq!(server.get("/healthz").await.0, StatusCode::OK);

    server.stop.cancel();
    server.served.await.unwrap().unwrap();
}
