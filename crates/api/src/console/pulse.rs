//! The pulse: one server-sent event whenever something did that a page may show.
//!
//! The first one comes at once, because something may have happened between the
//! page and its first look here.

use std::time::Duration;

use axum::body::Body;
use axum::extract::State as Extract;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures::stream;
use store::overview;

use super::session::Visitor;
use crate::State;

/// How often the books are asked.
const BEAT: Duration = Duration::from_secs(1);

/// Beats after which a line is sent although nothing did, so that a connection
/// that is gone is noticed.
const QUIET_BEATS: u32 = 15;

/// A stream that lasts this long; the browser opens another one, and shows who it is again.
const BEATS: u32 = 300;

/// `GET /pulse`
pub(super) async fn stream(Extract(state): Extract<State>, _visitor: Visitor) -> Response {
    let beats =
        stream::unfold((state, None, 0), |(state, last, beat)| async move { next(state, last, beat).await });
    let head = [(CONTENT_TYPE, "text/event-stream"), (CACHE_CONTROL, "no-store")];
    (head, Body::from_stream(beats)).into_response()
}

type Step = (Result<String, std::convert::Infallible>, (State, Option<String>, u32));

/// Waits for a change, or for as long as a connection may be silent.
async fn next(state: State, last: Option<String>, mut beat: u32) -> Option<Step> {
    for _ in 0..QUIET_BEATS {
        if beat >= BEATS || state.stop.is_cancelled() {
            return None;
        }
        if let Some(now) = pulse(&state).await
            && last.as_ref() != Some(&now)
        {
            return Some((Ok(format!("data: {now}\n\n")), (state, Some(now), beat + 1)));
        }
        tokio::select! {
            () = state.stop.cancelled() => return None,
            () = tokio::time::sleep(BEAT) => beat += 1,
        }
    }
    Some((Ok(": still here\n\n".to_owned()), (state, last, beat)))
}

/// Nothing while the database is away: the page stays as it is.
async fn pulse(state: &State) -> Option<String> {
    let mut connection = state.database.pool().acquire().await.ok()?;
    overview::pulse(&mut connection).await.ok()
}
