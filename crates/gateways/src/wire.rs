//! HTTP to one channel: bounded in time and size, kept alive, never redirected.
//!
//! The client never repeats a request by itself and reads no proxy from the
//! environment: a payment goes to the configured address, once.

use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Client, Method, RequestBuilder};

use crate::doubt::Doubt;
use crate::trace;

/// Bytes of a packed statement that are read.
const FILE_MAX: usize = 64 << 20;

/// The total limit of a statement, which is longer than a payment.
const FILE_TIMEOUT: Duration = Duration::from_mins(1);

/// Limits on every call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// For the TCP and TLS handshakes.
    pub connect: Duration,
    /// For the whole call, the body included.
    pub total: Duration,
    /// Bytes of an answer's body that are read.
    pub body_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connect: Duration::from_secs(2), total: Duration::from_secs(10), body_max: 1 << 20 }
    }
}

/// A connection pool to one base URL.
pub(crate) struct Wire {
    client: Client,
    base_url: String,
    body_max: usize,
}

/// One request below the base URL.
pub(crate) struct Request {
    pub(crate) method: Method,
    /// With the query, as it is signed: `/v3/certificates`.
    pub(crate) path: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

/// What came back, as it came.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// A POST with a body of a media type.
    pub(crate) fn post(path: impl Into<String>, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("content-type", content_type.to_owned())];
        Self { method: Method::POST, path: path.into(), headers, body: body.into() }
    }

    /// A GET.
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self { method: Method::GET, path: path.into(), headers: Vec::new(), body: Vec::new() }
    }

    /// Adds a header.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

impl Answer {
    /// A header as text; empty when it is missing or not ASCII.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// 2xx.
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// The HTTP client could not be built.
#[derive(Debug, thiserror::Error)]
#[error("no HTTP client")]
pub struct NoClient(#[source] reqwest::Error);

impl Wire {
    /// Opens no connection yet.
    pub(crate) fn new(base_url: &str, limits: Limits) -> Result<Self, NoClient> {
        let mut builder = Client::builder()
            .connect_timeout(limits.connect)
            .timeout(limits.total)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .tcp_nodelay(true)
            .http1_only();
        if base_url.starts_with("http:") {
            // Plain HTTP is for the loopback; the system's certificates are not
            // needed for it and may be missing on a bare machine.
            builder = builder.tls_certs_only([]);
        }
        let client = builder.build().map_err(NoClient)?;
        let base_url = base_url.trim_end_matches('/').to_owned();
        Ok(Self { client, base_url, body_max: limits.body_max })
    }

    /// Sends once and reads the answer to its end.
    pub(crate) async fn send(&self, request: Request) -> Result<Answer, Doubt> {
        let url = format!("{}{}", self.base_url, request.path);
        let builder = self.client.request(request.method.clone(), url);
        exchange(builder, request, self.body_max).await
    }

    /// Sends once and reads a file.
    pub(crate) async fn send_file(&self, request: Request) -> Result<Answer, Doubt> {
        let url = format!("{}{}", self.base_url, request.path);
        self.download(&url, request).await
    }

    /// Reads a file from an absolute URL that the channel itself named.
    pub(crate) async fn download(&self, url: &str, request: Request) -> Result<Answer, Doubt> {
        let builder = self.client.request(request.method.clone(), url).timeout(FILE_TIMEOUT);
        exchange(builder, request, FILE_MAX).await
    }
}

/// The parts of a request without its address, and the answer to its end.
async fn exchange(mut builder: RequestBuilder, request: Request, body_max: usize) -> Result<Answer, Doubt> {
    for (name, value) in request.headers {
        builder = builder.header(name, value);
    }
    if let Some(parent) = trace::parent() {
        builder = builder.header(trace::NAME, parent);
    }
    let mut response = builder.body(request.body).send().await.map_err(|error| doubt(&error))?;
    let status = response.status().as_u16();
    let headers = std::mem::take(response.headers_mut());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| doubt(&error))? {
        if body.len() + chunk.len() > body_max {
            return Err(Doubt::new("too_large", "the answer is longer than the limit"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer { status, headers, body })
}

/// The kind of the failure alone: its text has the URL, and URLs have parameters.
fn doubt(error: &reqwest::Error) -> Doubt {
    if error.is_connect() {
        Doubt::NotSent("no connection to the gateway".to_owned())
    } else if error.is_timeout() {
        Doubt::new("timeout", "no answer within the limit")
    } else {
        Doubt::new("broken", "the connection broke before the answer was complete")
    }
}
