//! Parked messages: what no worker can use, kept whole for people.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::Error;

/// A message to be parked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parked {
    /// Its number here; also the key of its dead letter.
    pub id: Uuid,
    /// The queue it came from.
    pub queue: String,
    /// The AMQP message id, where the sender set one.
    pub message_id: Option<String>,
    /// SHA-256 of the body.
    pub digest: [u8; 32],
    /// The body as it came, sealed by the vault for the row `parked_message:<id>`.
    pub body: Vec<u8>,
    /// Its headers as a JSON object.
    pub headers: Value,
    /// The RFC 9457 problem: why nobody can use it.
    pub problem: Value,
    /// The broker delivered it before: it may be parked already.
    pub redelivered: bool,
}

/// Parks messages and answers with the ids of those that were not parked yet.
///
/// # Errors
/// When the database is away.
pub async fn put(
    connection: &mut PgConnection,
    messages: &[Parked],
    at: DateTime<Utc>,
) -> Result<Vec<Uuid>, Error> {
    if messages.is_empty() {
        return Ok(Vec::new());
    }
    Ok(sqlx::query_scalar(include_str!("../sql/parked_put.sql"))
        .bind(messages.iter().map(|it| it.id).collect::<Vec<_>>())
        .bind(messages.iter().map(|it| it.queue.as_str()).collect::<Vec<_>>())
        .bind(messages.iter().map(|it| it.message_id.as_deref()).collect::<Vec<_>>())
        .bind(messages.iter().map(|it| it.digest.as_slice()).collect::<Vec<_>>())
        .bind(messages.iter().map(|it| it.body.as_slice()).collect::<Vec<_>>())
        .bind(messages.iter().map(|it| &it.headers).collect::<Vec<_>>())
        .bind(messages.iter().map(|it| &it.problem).collect::<Vec<_>>())
        .bind(messages.iter().map(|it| it.redelivered).collect::<Vec<_>>())
        .bind(at)
        .fetch_all(connection)
        .await?)
}
