//! The API over real HTTP, on a real database and a real broker.

#![expect(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

mod bench;

use bench::{at, leg, server, withdrawal};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use store::withdrawals::Withdrawal;
use store::{legs, withdrawals};
use uuid::Uuid;

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
