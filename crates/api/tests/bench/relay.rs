//! Stands between the gateways and the API: keeps what passes, so that a test
//! can send it again, or something like it.

use api::BODY_MAX_BYTES;
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Response};
use reqwest::{Client, StatusCode};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// A notice that passed, and how the API answered.
#[derive(Debug, Clone)]
pub(crate) struct Passed {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) answered: (StatusCode, String),
}

#[derive(Clone)]
struct Wire {
    target: String,
    passed: mpsc::UnboundedSender<Passed>,
}

/// A relay to `target` on a port of its own: its address, and what passes.
pub(crate) async fn open(target: String) -> (String, mpsc::UnboundedReceiver<Passed>) {
    let (passed, passing) = mpsc::unbounded_channel();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(pass).with_state(Wire { target, passed });
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, passing)
}

/// Sends a notice as it passed.
pub(crate) async fn send(
    target: &str,
    path: &str,
    headers: &HeaderMap,
    body: impl Into<reqwest::Body>,
) -> (StatusCode, String) {
    let mut headers = headers.clone();
    // They are the connection's own.
    headers.remove("host");
    headers.remove("content-length");
    let request = Client::new().post(format!("{target}{path}")).headers(headers).body(body);
    let answer = request.send().await.unwrap();
    (answer.status(), answer.text().await.unwrap())
}

async fn pass(State(wire): State<Wire>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, BODY_MAX_BYTES).await.unwrap();
    let path = parts.uri.path().to_owned();
    let answered = send(&wire.target, &path, &parts.headers, body.clone()).await;
    let mut response = Response::new(Body::from(answered.1.clone()));
    *response.status_mut() = answered.0;
    // Nobody listens once the test is over.
    let _ = wire.passed.send(Passed { path, headers: parts.headers, body, answered });
    response
}
