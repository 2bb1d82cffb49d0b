//! Refusals: RFC 9457 problems as answers.

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Response, StatusCode};
use axum::response::IntoResponse;
use broker::contract::Problem;
use tracing::error;

/// The media type of a problem.
const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");

/// An answer that is not what was asked for.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    problem: Problem,
}

impl Refusal {
    /// `code` is stable and for programs, `detail` is for people.
    pub(crate) fn new(code: &str, status: StatusCode, detail: impl Into<Box<str>>) -> Self {
        Self { status, problem: Problem::with_status(code, status.as_u16(), detail) }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response<Body> {
        (self.status, [(CONTENT_TYPE, MEDIA_TYPE)], self.problem.to_json()).into_response()
    }
}

impl From<store::Error> for Refusal {
    /// What the database said stays in our log: it may hold more than a caller may know.
    fn from(error: store::Error) -> Self {
        error!(%error, "A request could not be answered");
        match error {
            store::Error::Unavailable(_) | store::Error::Stale { .. } => Self::new(
                "temporarily_unavailable",
                StatusCode::SERVICE_UNAVAILABLE,
                "the database does not answer; try again",
            ),
            store::Error::Refused(_) | store::Error::Unreadable(_) => Self::new(
                "internal_error",
                StatusCode::INTERNAL_SERVER_ERROR,
                "the database cannot answer this; operations can see why in the log",
            ),
        }
    }
}

/// Turns refusals of the layers below into problems; ours are that already.
pub(crate) async fn in_our_form(response: Response<Body>) -> Response<Body> {
    let status = response.status();
    let is_ours = response.headers().get(CONTENT_TYPE) == Some(&MEDIA_TYPE);
    if is_ours || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let (code, detail) = match status {
        StatusCode::PAYLOAD_TOO_LARGE => ("body_too_large", "the body is larger than 64 KiB"),
        StatusCode::GATEWAY_TIMEOUT => ("timed_out", "the answer took too long; try again"),
        StatusCode::BAD_REQUEST => ("bad_request", "the address cannot be understood"),
        _ => ("refused", "the request was refused"),
    };
    Refusal::new(code, status, detail).into_response()
}
