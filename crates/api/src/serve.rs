//! The routes and their limits, and the server that runs until it is told to stop.

use std::time::Duration;

use axum::Router;
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::map_response;
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;
use tracing::info;

use crate::refusal::{self, Refusal};
use crate::{State, health, measure, notice, withdrawal};

/// The largest body of a request: that of a message.
pub const BODY_MAX_BYTES: usize = broker::contract::BODY_LIMIT_BYTES;

/// The longest that a request may take.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// Every route, within the limits.
pub fn router(state: State) -> Router {
    let timeout = || TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, REQUEST_TIMEOUT);
    // Answered in the words of each channel, also where a limit is met.
    let notices = Router::new()
        .route("/v1/notices/{channel}", post(notice::receive))
        .method_not_allowed_fallback(not_allowed)
        .with_state(state.clone())
        .layer(timeout());
    Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(measure::metrics))
        .route("/v1/withdrawals/{id}", get(withdrawal::show))
        .fallback(unknown)
        .method_not_allowed_fallback(not_allowed)
        .with_state(state)
        .layer(RequestBodyLimitLayer::new(BODY_MAX_BYTES))
        .layer(timeout())
        .layer(map_response(refusal::in_our_form))
        .merge(notices)
}

async fn unknown(uri: Uri) -> Refusal {
    Refusal::new("no_such_resource", StatusCode::NOT_FOUND, format!("there is nothing at {}", uri.path()))
}

async fn not_allowed(method: Method, uri: Uri) -> Refusal {
    let detail = format!("{method} is not possible at {}", uri.path());
    Refusal::new("method_not_allowed", StatusCode::METHOD_NOT_ALLOWED, detail)
}

/// Answers requests until the state's `stop` is raised, and then finishes those
/// in hand.
///
/// # Errors
/// When the listener breaks.
pub async fn serve(listener: TcpListener, state: State) -> std::io::Result<()> {
    info!(address = %listener.local_addr()?, "The API listens");
    let stop = state.stop.clone();
    axum::serve(listener, router(state)).with_graceful_shutdown(stop.cancelled_owned()).await
}
