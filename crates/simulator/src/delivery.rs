//! How an answer leaves, or does not.

use std::time::Duration;

use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::behaviour::Reply;
use crate::postman;
use crate::world::Shared;

/// How long a reply waits for the notice that is to arrive first.
const NOTICE_PATIENCE: Duration = Duration::from_secs(3);

/// An answer on its way out.
pub(crate) enum Outgoing {
    /// Leaves at once.
    Send(Response),
    /// Leaves after a while.
    Late(Duration, Response),
    /// Leaves after the notice about this order was delivered.
    AfterNotice(String, Response),
    /// The connection is closed instead.
    Drop,
    /// The connection is reset instead.
    Reset,
    /// The connection is held until the caller gives up.
    Hold,
}

/// Marks a response that the server must replace by ending the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CloseInstead {
    /// In good order.
    Close,
    /// With a TCP reset.
    Reset,
}

impl Outgoing {
    /// The answer as `reply` wants it; `truth` builds what would be said
    /// normally and is only called when it is needed.
    pub(crate) fn of(reply: &Reply, truth: impl FnOnce() -> Response) -> Self {
        match reply {
            Reply::Truth | Reply::BadSignature | Reply::Code(_) => Self::Send(truth()),
            Reply::Slow(wait) => Self::Late(*wait, truth()),
            Reply::AfterNotice(key) => Self::AfterNotice(key.clone(), truth()),
            Reply::Drop => Self::Drop,
            Reply::Reset => Self::Reset,
            Reply::Silence => Self::Hold,
            Reply::Unavailable => {
                Self::Send((StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable").into_response())
            }
            Reply::Garbage => Self::Send("\u{fffd}{<garbage".into_response()),
        }
    }

    /// Waits as long as it must, and gives the response to the server.
    pub(crate) async fn deliver(self, world: &Shared) -> Response {
        match self {
            Self::Send(response) => response,
            Self::Late(wait, response) => {
                tokio::time::sleep(wait).await;
                response
            }
            Self::AfterNotice(key, response) => {
                let early = postman::send_early(world, &key);
                // A receiver that hangs must not hold the reply for ever.
                let _ = tokio::time::timeout(NOTICE_PATIENCE, early).await;
                response
            }
            Self::Drop => ended(CloseInstead::Close),
            Self::Reset => ended(CloseInstead::Reset),
            Self::Hold => std::future::pending().await,
        }
    }
}

fn ended(how: CloseInstead) -> Response {
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(how);
    response
}

/// A response of text under a content type.
pub(crate) fn text(status: StatusCode, content_type: &'static str, body: String) -> Response {
    (status, [(header::CONTENT_TYPE, content_type)], body).into_response()
}
