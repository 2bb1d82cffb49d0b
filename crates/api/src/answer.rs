//! Answers that are fine: JSON that nobody may keep.

use axum::body::Body;
use axum::http::Response;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;
use serde_json::{Value, json};

/// A JSON answer. What it tells may change at any moment, so nobody may keep it.
#[derive(Debug)]
pub(crate) struct Json(pub(crate) String);

impl From<Value> for Json {
    fn from(value: Value) -> Self {
        Self(value.to_string())
    }
}

impl IntoResponse for Json {
    fn into_response(self) -> Response<Body> {
        ([(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-store")], self.0).into_response()
    }
}

/// A page of a list: its items, and the cursor of the next page where there may be one.
pub(crate) fn page(items: &[Value], limit: i64, cursor: impl Fn(&Value) -> Value) -> Json {
    let is_full = i64::try_from(items.len()).is_ok_and(|it| it >= limit);
    let next = items.last().filter(|_| is_full).map(cursor);
    json!({ "items": items, "next": next }).into()
}
