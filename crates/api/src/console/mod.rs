//! The console: pages that a server renders and any browser shows.
//!
//! Every form works without scripts; a little script refreshes pages, moves by
//! keyboard and opens the help. Nothing is inline, so that the content policy can
//! forbid everything that does not come from here. A page reads, and a form goes
//! through the same functions as the API, with the visitor as its actor.

mod approve;
mod attention;
mod audit;
mod channels;
mod dev;
mod frame;
mod login;
mod mend;
mod overview;
mod parked;
mod pulse;
mod reconciliation;
mod schedule;
mod session;
mod withdrawal;
mod withdrawals;
mod words;

use std::future::{Ready, ready};

use axum::Router;
use axum::body::Body;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue, Response};
use axum::middleware::map_response;
use axum::response::IntoResponse;
use axum::routing::{get, post};

use crate::State;

/// Nothing from elsewhere, nothing inline, and no frame around it.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The pages and forms.
pub(crate) fn routes(is_dev: bool) -> Router<State> {
    let routes = Router::new()
        .route("/", get(overview::show))
        .route("/login", get(login::show).post(login::enter))
        .route("/logout", post(login::leave))
        .route("/language", get(login::language))
        .route("/approve", get(approve::show))
        .route("/attention", get(attention::show))
        .route("/withdrawals", get(withdrawals::show))
        .route("/withdrawals/{id}", get(withdrawal::show))
        .route("/withdrawals/{id}/approve", post(approve::approve))
        .route("/withdrawals/{id}/deny", post(approve::deny))
        .route("/withdrawals/{id}/cancel", post(approve::cancel))
        .route("/withdrawals/{id}/hold", post(approve::hold))
        .route("/withdrawals/{id}/release", post(approve::release))
        .route("/withdrawals/{id}/details", post(mend::details))
        .route("/withdrawals/{id}/resolve", post(mend::resolve))
        .route("/withdrawals/{id}/ask", post(attention::ask))
        .route("/withdrawals/{id}/escalate", post(attention::escalate))
        .route("/schedule", get(schedule::show))
        .route("/channels", get(channels::show))
        .route("/channels/{channel}/pause", post(channels::pause))
        .route("/channels/{channel}/resume", post(channels::resume))
        .route("/parked", get(parked::show))
        .route("/parked/{id}", get(parked::one))
        .route("/parked/{id}/replay", post(parked::replay))
        .route("/parked/{id}/discard", post(parked::discard))
        .route("/reconciliation", get(reconciliation::show))
        .route("/reconciliation/{id}/resolve", post(reconciliation::resolve))
        .route("/audit", get(audit::show))
        .route("/pulse", get(pulse::stream))
        .route(
            "/assets/console.css",
            get(|| asset("text/css; charset=utf-8", include_str!("assets/console.css"))),
        )
        .route(
            "/assets/console.js",
            get(|| asset("text/javascript; charset=utf-8", include_str!("assets/console.js"))),
        )
        .route("/assets/favicon.svg", get(|| asset("image/svg+xml", include_str!("assets/favicon.svg"))))
        .route("/favicon.ico", get(|| asset("image/svg+xml", include_str!("assets/favicon.svg"))));
    let routes = if is_dev {
        routes
            .route("/withdraw", get(dev::withdraw).post(dev::publish))
            .route("/simulator", get(dev::simulator))
    } else {
        routes
    };
    routes.layer(map_response(guarded))
}

/// Every answer of the console tells browsers what they may do with it.
async fn guarded(mut response: Response<Body>) -> Response<Body> {
    let headers = response.headers_mut();
    let fixed: [(HeaderName, &'static str); 3] = [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "same-origin"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// A file that the binary carries.
fn asset(kind: &'static str, text: &'static str) -> Ready<Response<Body>> {
    ready(([(CONTENT_TYPE, kind), (CACHE_CONTROL, "max-age=300")], text).into_response())
}
