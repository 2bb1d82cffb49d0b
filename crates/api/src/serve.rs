//! The routes, the roles that they need, and their limits (S15).

use std::time::Duration;

use axum::Router;
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::{from_fn_with_state, map_response};
use axum::routing::{get, post};
use store::operators::Role;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;

use crate::refusal::{self, Refusal};
use crate::{
    State, account, audited, calendar, channel, console, health, measure, notice, openapi, parked, person,
    reconciliation, request, withdrawal,
};

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
    let is_dev = state.desk.as_ref().is_some_and(|it| it.dev.is_some());
    Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(measure::metrics))
        .route("/v1/openapi.json", get(openapi::show))
        .merge(guarded(reading(), &state, Role::Viewer))
        .merge(guarded(working(), &state, Role::Operator))
        .merge(guarded(judging(), &state, Role::Approver))
        .merge(console::routes(is_dev))
        .fallback(unknown)
        .method_not_allowed_fallback(not_allowed)
        .with_state(state)
        .layer(RequestBodyLimitLayer::new(BODY_MAX_BYTES))
        .layer(timeout())
        .layer(map_response(refusal::in_our_form))
        .merge(notices)
}

/// What everybody with a token may do: look.
fn reading() -> Router<State> {
    Router::new()
        .route("/v1/accounts/{account_id}/quote", get(account::quote))
        .route("/v1/withdrawals", get(withdrawal::list))
        .route("/v1/withdrawals/{id}", get(withdrawal::show))
        .route("/v1/withdrawals/{id}/legs", get(withdrawal::legs))
        .route("/v1/withdrawals/{id}/history", get(withdrawal::past))
        .route("/v1/channels", get(channel::list))
        .route("/v1/reconciliation/days", get(reconciliation::days))
        .route("/v1/reconciliation/differences", get(reconciliation::list))
        .route("/v1/parked-messages", get(parked::list))
        .route("/v1/parked-messages/groups", get(parked::groups))
        .route("/v1/calendar/{date}", get(calendar::show))
}

/// What somebody else asked for, and what everybody did.
fn judging() -> Router<State> {
    Router::new()
        .route("/v1/withdrawals/{id}/decisions", post(request::decide))
        .route("/v1/audit", get(audited::list))
}

/// What changes something.
fn working() -> Router<State> {
    Router::new()
        .route("/v1/withdrawals", post(request::create))
        .route("/v1/withdrawals/{id}/cancel", post(request::cancel))
        .route("/v1/withdrawals/{id}/details", post(request::details))
        .route("/v1/withdrawals/{id}/resolutions", post(request::resolve))
        .route("/v1/verification-codes", post(account::issue_code))
        .route("/v1/verification-codes/{id}/confirm", post(account::confirm_code))
        .route("/v1/channels/{channel}/pause", post(channel::pause))
        .route("/v1/channels/{channel}/resume", post(channel::resume))
        .route("/v1/reconciliation/differences/{id}/resolve", post(reconciliation::resolve))
        .route("/v1/parked-messages/{id}", get(parked::show))
        .route("/v1/parked-messages/{id}/replay", post(parked::replay))
        .route("/v1/parked-messages/{id}/discard", post(parked::discard))
}

fn guarded(routes: Router<State>, state: &State, least: Role) -> Router<State> {
    routes.route_layer(from_fn_with_state((state.clone(), least), person::guard))
}

async fn unknown(uri: Uri) -> Refusal {
    Refusal::new("no_such_resource", StatusCode::NOT_FOUND, format!("there is nothing at {}", uri.path()))
}

async fn not_allowed(method: Method, uri: Uri) -> Refusal {
    let detail = format!("{method} is not possible at {}", uri.path());
    Refusal::new("method_not_allowed", StatusCode::METHOD_NOT_ALLOWED, detail)
}
