//! The API over real HTTP, on a real database and a real broker.

#![expect(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

mod bench;

use bench::{TOKEN, add, at, leg, server, withdrawal};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use store::operators::{self, Role};
use store::withdrawals::Withdrawal;
use store::{legs, withdrawals};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
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
    assert!(text.contains("\noutflow_withdrawals{state=\"approved\"} 0\n"), "{text}");

    server.database.close().await;
    let (status, _, text) = server.get("/readyz").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(text.contains("\"not_ready\"") && text.contains("database"), "{text}");
    assert_eq!(server.get("/healthz").await.0, StatusCode::OK);

    server.stop.cancel();
    server.served.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_endpoint_asks_who_is_there_and_whether_they_may() {
    let server = server().await;
    add(&server.database, "looker", Role::Viewer, "viewer").await;
    add(&server.database, "worker", Role::Operator, "operator").await;
    let one = format!("/v1/withdrawals/{}", Uuid::nil());
    let cancel = format!("{one}/cancel");
    let decisions = format!("{one}/decisions");
    let approve = br#"{"decision":"approve","reason":"x"}"#.to_vec();
    for (token, method, path, body, status, code) in [
        (None, Method::GET, one.as_str(), vec![], 401, "not_authenticated"),
        (Some("nobody's"), Method::GET, "/v1/withdrawals", vec![], 401, "not_authenticated"),
        (Some("viewer"), Method::GET, one.as_str(), vec![], 404, "no_such_withdrawal"),
        (Some("viewer"), Method::POST, "/v1/withdrawals", vec![], 403, "role_too_low"),
        (Some("viewer"), Method::POST, cancel.as_str(), vec![], 403, "role_too_low"),
        (Some("viewer"), Method::POST, "/v1/channels/all/pause", vec![], 403, "role_too_low"),
        (Some("viewer"), Method::GET, "/v1/parked-messages/1", vec![], 403, "role_too_low"),
        (Some("viewer"), Method::GET, "/v1/audit", vec![], 403, "role_too_low"),
        (Some("operator"), Method::POST, decisions.as_str(), approve, 403, "role_too_low"),
        (Some("operator"), Method::POST, "/v1/withdrawals", b"{}".to_vec(), 400, "missing_idempotency_key"),
        (Some(TOKEN), Method::GET, "/v1/withdrawals?limit=0", vec![], 400, "invalid_parameter"),
        (Some(TOKEN), Method::GET, "/v1/withdrawals?state=paid", vec![], 400, "invalid_parameter"),
        (Some(TOKEN), Method::GET, "/v1/withdrawals?colour=red", vec![], 400, "bad_request"),
        (Some(TOKEN), Method::GET, "/v1/channels", vec![], 503, "not_deciding"),
    ] {
        let (answered, _, text) = server.ask_as(token, method, path, body).await;
        let problem: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((answered.as_u16(), &problem["code"]), (status, &json!(code)), "{path}: {text}");
    }
    let mut tx = server.database.begin().await.unwrap();
    assert!(operators::revoke(&mut tx, "looker", "test", at()).await.unwrap());
    tx.commit().await.unwrap();
    let (status, _, _) = server.ask_as(Some("viewer"), Method::GET, "/v1/withdrawals", vec![]).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED, "a token that was taken back is worth nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_filtered_and_read_page_by_page() {
    let server = server().await;
    let rows: Vec<Withdrawal> = (0..5)
        .map(|index| Withdrawal {
            request_id: format!("R{index}"),
            account_id: format!("acct-{}", index % 2),
            ..withdrawal()
        })
        .collect();
    let requests = vec![json!({}); rows.len()];
    let mut tx = server.database.begin().await.unwrap();
    withdrawals::insert(&mut tx, &rows, &requests, at()).await.unwrap();
    tx.commit().await.unwrap();

    let ids = |page: &Value| -> Vec<String> {
        let items = page["items"].as_array().unwrap().iter();
        items.map(|it| it["request"]["id"].as_str().unwrap().to_owned()).collect()
    };
    let mut path = "/v1/withdrawals?limit=2".to_owned();
    let mut seen = Vec::new();
    loop {
        let page: Value = serde_json::from_str(&server.get(&path).await.2).unwrap();
        seen.extend(ids(&page));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/v1/withdrawals?limit=2&cursor={next}");
    }
    assert_eq!(seen, ["R4", "R3", "R2", "R1", "R0"]);
    let number = rows[3].id.to_string();
    for (query, expected) in [
        ("account_id=acct-1", vec!["R3", "R1"]),
        ("state=processing,approved&account_id=acct-0", vec!["R4", "R2", "R0"]),
        ("state=approved", vec![]),
        ("q=R2", vec!["R2"]),
        (&format!("q={number}"), vec!["R3"]),
        ("requester=nobody", vec![]),
    ] {
        let page = server.get(&format!("/v1/withdrawals?{query}")).await.2;
        assert_eq!(ids(&serde_json::from_str(&page).unwrap()), expected, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_that_is_too_large_or_never_ends_keeps_nobody_out() {
    let server = server().await;
    let address = server.base_url.trim_start_matches("http://").to_owned();
    let mut slow = TcpStream::connect(&address).await.unwrap();
    slow.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n").await.unwrap();
    for header in [format!("x: {}\r\n", "y".repeat(64 * 1024)), "x: y\r\n".repeat(200)] {
        let mut large = TcpStream::connect(&address).await.unwrap();
        let request = format!("GET /healthz HTTP/1.1\r\nhost: x\r\n{header}\r\n");
        // The server may answer and close before all of it is written.
        let _ = large.write_all(request.as_bytes()).await;
        let mut answer = Vec::new();
        let _ = large.read_to_end(&mut answer).await;
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    }
    assert_eq!(server.get("/healthz").await.0, StatusCode::OK, "others are answered meanwhile");
    let mut rest = Vec::new();
    slow.read_to_end(&mut rest).await.unwrap();
    assert!(!String::from_utf8_lossy(&rest).contains("alive"), "the slow one was cut off");
}
