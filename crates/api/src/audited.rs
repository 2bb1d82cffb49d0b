//! The audit over HTTP (S13): every entry with its digest, so that a reader can
//! keep the newest one and prove later that nothing before it was touched.

use axum::extract::{Query, State as Extract};
use serde::Deserialize;
use serde_json::{Value, json};
use store::audit::{self, Entry};

use crate::State;
use crate::answer::{self, Json};
use crate::refusal::Refusal;
use crate::withdrawal::limit;

/// Which entries are wanted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// About what.
    subject: Option<String>,
    /// Only those before this place.
    cursor: Option<i64>,
    limit: Option<i64>,
}

/// `GET /v1/audit`
pub(crate) async fn list(
    Extract(state): Extract<State>,
    Query(wanted): Query<Wanted>,
) -> Result<Json, Refusal> {
    let limit = limit(wanted.limit)?;
    let mut connection = state.database.pool().acquire().await.map_err(store::Error::from)?;
    let entries = audit::page(&mut connection, wanted.subject.as_deref(), wanted.cursor, limit).await?;
    Ok(answer::page(&entries.iter().map(entry).collect::<Vec<_>>(), limit, |it| it["sequence"].clone()))
}

/// An entry for programs.
pub(crate) fn entry(it: &Entry) -> Value {
    json!({
        "sequence": it.sequence, "at": it.at, "actor": it.deed.actor, "role": it.deed.role,
        "action": it.deed.action, "subject": it.deed.subject, "detail": it.deed.detail,
        "previous": hex::encode(&it.previous), "digest": hex::encode(&it.digest),
    })
}
