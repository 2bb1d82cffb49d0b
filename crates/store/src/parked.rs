//! Parked messages: what no worker can use, kept whole for people.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{Error, Tx};

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

/// Parked messages that have the same cause.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Group {
    /// The queue they came from.
    pub queue: String,
    /// The code of the problem.
    pub code: String,
    /// The code in words.
    pub title: String,
    /// How many.
    pub number: i64,
    /// When the first of them came.
    pub oldest: DateTime<Utc>,
    /// When the last of them came.
    pub newest: DateTime<Utc>,
}

/// A parked message as it lies there. Its body is sealed.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Kept {
    /// Its number.
    pub id: Uuid,
    /// The queue it came from.
    pub queue: String,
    /// The AMQP message id, where the sender set one.
    pub message_id: Option<String>,
    /// SHA-256 of the body.
    pub digest: Vec<u8>,
    /// The body, sealed for `parked_message:<id>`.
    pub body: Vec<u8>,
    /// Its headers.
    pub headers: Value,
    /// Why nobody could use it.
    pub problem: Value,
    /// Since when it lies here.
    pub parked_at: DateTime<Utc>,
    /// Until when, where somebody dealt with it.
    pub resolved_at: Option<DateTime<Utc>>,
    /// `replayed` or `discarded`.
    pub resolution: Option<String>,
    /// Who dealt with it.
    pub resolved_by: Option<String>,
    /// Why so.
    pub reason: Option<String>,
    /// The body that was sent instead, sealed for `parked_message:<id>:replacement`.
    pub replacement: Option<Vec<u8>>,
    /// What the edit changed, masked.
    pub diff: Option<Value>,
}

/// Which parked messages are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Those that somebody dealt with, instead of those that wait.
    pub resolved: bool,
    /// Those of this queue.
    pub queue: Option<String>,
    /// Those with this code.
    pub code: Option<String>,
    /// Only those before this one.
    pub before: Option<Uuid>,
    /// How many at most.
    pub limit: i64,
}

/// What was done about a parked message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolution {
    /// `replayed` or `discarded`.
    pub what: &'static str,
    /// Who did it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// The sealed body that was sent and what differs in it, where it was replayed.
    pub sent: Option<(Vec<u8>, Value)>,
}

/// Messages that wait, grouped by what is wrong with them.
///
/// # Errors
/// When the database is away.
pub async fn groups(connection: &mut PgConnection) -> Result<Vec<Group>, Error> {
    Ok(sqlx::query_as(include_str!("../sql/parked_groups.sql")).fetch_all(connection).await?)
}

/// A page of parked messages, the newest first.
///
/// # Errors
/// When the database is away.
pub async fn page(connection: &mut PgConnection, wanted: &Wanted) -> Result<Vec<Kept>, Error> {
    Ok(sqlx::query_as(include_str!("../sql/parked_page.sql"))
        .bind(wanted.resolved)
        .bind(&wanted.queue)
        .bind(&wanted.code)
        .bind(wanted.before)
        .bind(wanted.limit)
        .fetch_all(connection)
        .await?)
}

/// One parked message.
///
/// # Errors
/// When the database is away.
pub async fn find(connection: &mut PgConnection, id: Uuid) -> Result<Option<Kept>, Error> {
    let row = sqlx::query_as(include_str!("../sql/parked_find.sql")).bind(id);
    Ok(row.fetch_optional(connection).await?)
}

/// One parked message, locked until the transaction ends.
///
/// # Errors
/// When the database is away.
pub async fn lock(tx: &mut Tx, id: Uuid) -> Result<Option<Kept>, Error> {
    let row = sqlx::query_as(include_str!("../sql/parked_lock.sql")).bind(id);
    Ok(row.fetch_optional(&mut **tx).await?)
}

/// Ends the wait of a parked message. False when somebody dealt with it already.
///
/// # Errors
/// When the database is away.
pub async fn resolve(
    tx: &mut Tx,
    id: Uuid,
    resolution: &Resolution,
    at: DateTime<Utc>,
) -> Result<bool, Error> {
    let sent = resolution.sent.as_ref();
    let done = sqlx::query(include_str!("../sql/parked_resolve.sql"))
        .bind(id)
        .bind(resolution.what)
        .bind(&resolution.by)
        .bind(&resolution.reason)
        .bind(at)
        .bind(sent.map(|it| it.0.as_slice()))
        .bind(sent.map(|it| &it.1))
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected() == 1)
}
