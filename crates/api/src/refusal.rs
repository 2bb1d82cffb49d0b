//! Refusals: RFC 9457 problems as answers.

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Response, StatusCode};
use axum::response::IntoResponse;
use broker::contract::Problem;
use serde::Serialize;
use tracing::error;
use uuid::Uuid;

use crate::engine::Failed;

/// The media type of a problem.
const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");

/// An answer that is not what was asked for.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    problem: Box<Problem>,
    /// Every reason, where a rule refused; the first one is the problem itself.
    reasons: Vec<Problem>,
    /// The withdrawal that keeps the refusal.
    withdrawal_id: Option<Uuid>,
}

/// A problem with its extensions, as RFC 9457 lets them stand beside its members.
#[derive(Serialize)]
struct Extended<'a> {
    #[serde(flatten)]
    problem: &'a Problem,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reasons: &'a Vec<Problem>,
    #[serde(skip_serializing_if = "Option::is_none")]
    withdrawal_id: Option<Uuid>,
}

impl Refusal {
    /// `code` is stable and for programs, `detail` is for people.
    pub(crate) fn new(code: &str, status: StatusCode, detail: impl Into<Box<str>>) -> Self {
        Self::from(Problem::with_status(code, status.as_u16(), detail))
    }

    /// What a rule refused: the first reason, with all of them beside it.
    pub(crate) fn of_reasons(reasons: Vec<Problem>) -> Self {
        let first = reasons.first().cloned().unwrap_or_else(|| {
            Problem::with_status("refused", StatusCode::UNPROCESSABLE_ENTITY.as_u16(), "a rule says no")
        });
        Self { reasons, ..Self::from(first) }
    }

    /// The same, kept by this withdrawal.
    pub(crate) fn kept_by(self, withdrawal_id: Uuid) -> Self {
        Self { withdrawal_id: Some(withdrawal_id), ..self }
    }

    /// What it says, for pages.
    pub(crate) fn problems(&self) -> Vec<&Problem> {
        if self.reasons.is_empty() { vec![&*self.problem] } else { self.reasons.iter().collect() }
    }

    /// Whether this is its code.
    pub(crate) fn is(&self, code: &str) -> bool {
        &*self.problem.code == code
    }

    /// Its status.
    pub(crate) const fn status(&self) -> StatusCode {
        self.status
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::UNPROCESSABLE_ENTITY);
        Self { status, problem: Box::new(problem), reasons: Vec::new(), withdrawal_id: None }
    }
}

impl From<Failed> for Refusal {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Refused(reasons) => Self::of_reasons(reasons),
            Failed::Store(error) => error.into(),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response<Body> {
        let Self { status, problem, reasons, withdrawal_id } = &self;
        let body = Extended { problem, reasons, withdrawal_id: *withdrawal_id };
        let body = serde_json::to_string(&body).expect("a problem is texts and a number");
        (*status, [(CONTENT_TYPE, MEDIA_TYPE)], body).into_response()
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

/// Turns refusals of the layers below into problems; ours are that already, or pages of
/// the console, which give the reason to people.
pub(crate) async fn in_our_form(response: Response<Body>) -> Response<Body> {
    let status = response.status();
    let kind = response.headers().get(CONTENT_TYPE);
    let is_page = kind.is_some_and(|it| it.as_bytes().starts_with(b"text/html"));
    let is_ours = is_page || kind == Some(&MEDIA_TYPE);
    if is_ours || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let refusal = match status {
        StatusCode::PAYLOAD_TOO_LARGE => {
            Refusal::new("body_too_large", status, "the body is larger than 64 KiB")
        }
        StatusCode::GATEWAY_TIMEOUT => {
            Refusal::new("timed_out", status, "the answer took too long; try again")
        }
        StatusCode::BAD_REQUEST => Refusal::new("bad_request", status, "the address cannot be understood"),
        _ => Refusal::new("refused", status, "the request was refused"),
    };
    refusal.into_response()
}
