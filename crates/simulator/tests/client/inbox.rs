//! Where a merchant receives notices.

use std::collections::HashMap;
use std::fs;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::{Router, body::Bytes};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::keys_dir;

/// A notice as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Arrived {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Arrived {
    pub(crate) fn form(&self) -> HashMap<String, String> {
        form_urlencoded::parse(self.body.as_bytes()).into_owned().collect()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().expect("ASCII")
    }
}

/// A server that answers every notice with the same text.
#[derive(Clone)]
pub(crate) struct Inbox {
    pub(crate) url: String,
    arrived: Arc<Mutex<Vec<Arrived>>>,
    answer: Arc<Mutex<(u16, &'static str)>>,
}

impl Inbox {
    pub(crate) async fn open(answer: (u16, &'static str)) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let inbox = Self { url, arrived: Arc::default(), answer: Arc::new(Mutex::new(answer)) };
        let router = Router::new().fallback(receive).with_state(inbox.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        inbox
    }

    pub(crate) fn answer(&self, answer: (u16, &'static str)) {
        *self.answer.lock().expect("not poisoned") = answer;
    }

    pub(crate) fn arrived(&self) -> Vec<Arrived> {
        self.arrived.lock().expect("not poisoned").clone()
    }

    /// Waits until `count` notices arrived, and gives them.
    pub(crate) async fn expect(&self, count: usize) -> Vec<Arrived> {
        for _ in 0..500 {
            if self.arrived().len() >= count {
                return self.arrived();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{} notices arrived, expected {count}", self.arrived().len());
    }
}

async fn receive(
    State(inbox): State<Inbox>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (axum::http::StatusCode, &'static str) {
    let body = String::from_utf8(body.to_vec()).expect("UTF-8");
    let arrived = Arrived { path: uri.path().to_owned(), headers, body };
    inbox.arrived.lock().expect("not poisoned").push(arrived);
    let (status, text) = *inbox.answer.lock().expect("not poisoned");
    (status.try_into().expect("a status"), text)
}

/// Whether a key of the folder signed `text`.
pub(crate) fn verifies(public_key: &str, text: &str, signature: &str) -> bool {
    let pem = fs::read_to_string(keys_dir().join(public_key)).expect("the key is there");
    verifies_by_key(&der(&pem), text, signature)
}

/// Whether the key of a PEM certificate signed `text`.
pub(crate) fn verifies_by_certificate(pem: &str, text: &str, signature: &str) -> bool {
    let der = der(pem);
    let (_, certificate) = x509_parser::parse_x509_certificate(&der).expect("a certificate");
    verifies_by_key(certificate.tbs_certificate.subject_pki.raw, text, signature)
}

fn der(pem: &str) -> Vec<u8> {
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    STANDARD.decode(body).expect("base64")
}

fn verifies_by_key(der: &[u8], text: &str, signature: &str) -> bool {
    let key = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der).expect("a key");
    key.verify_sig(text.as_bytes(), &STANDARD.decode(signature).unwrap_or_default()).is_ok()
}

/// The fields of a form by name, without the signature's own, joined.
pub(crate) fn joined(form: &HashMap<String, String>, without: &[&str]) -> String {
    let mut parts: Vec<String> = form
        .iter()
        .filter(|(name, value)| !without.contains(&name.as_str()) && !value.is_empty())
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    parts.sort();
    parts.join("&")
}
