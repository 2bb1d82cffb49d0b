//! Account facts that were read: applied, refused, or waiting for their turn.

use chrono::{DateTime, Utc};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};

use crate::{Error, Tx};

/// A fact as it is stored. Exactly one of `body`, `applied_at` and `refused_at` is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactRow {
    /// `CloudEvents` source.
    pub source: String,
    /// `CloudEvents` id; unique with `source`, for ever.
    pub event_id: String,
    /// The account that it is about.
    pub account_id: String,
    /// Its place among the facts of the account. Refused facts leave it free.
    pub version: i64,
    /// Its type on the wire.
    pub kind: String,
    /// SHA-256 of the canonical type and data.
    pub digest: Vec<u8>,
    /// The message, sealed by the vault for the row [`row_name`], while it waits.
    pub body: Option<Vec<u8>>,
    /// When it came.
    pub received_at: DateTime<Utc>,
    /// When it was applied.
    pub applied_at: Option<DateTime<Utc>>,
    /// When it was found to contradict what is known.
    pub refused_at: Option<DateTime<Utc>>,
}

/// What binds a sealed message to its row.
#[must_use]
pub fn row_name(source: &str, event_id: &str) -> String {
    format!("fact:{source}\n{event_id}")
}

fn fact(row: &PgRow) -> Result<FactRow, Error> {
    Ok(FactRow {
        source: row.try_get("source")?,
        event_id: row.try_get("event_id")?,
        account_id: row.try_get("account_id")?,
        version: row.try_get("version")?,
        kind: row.try_get("type")?,
        digest: row.try_get("digest")?,
        body: row.try_get("body")?,
        received_at: row.try_get("received_at")?,
        applied_at: row.try_get("applied_at")?,
        refused_at: row.try_get("refused_at")?,
    })
}

/// Locks the names of those accounts that do not exist yet, so that two workers
/// cannot take the first and the second fact of an account past each other.
///
/// Comes before [`crate::accounts::lock`]. Only the facts worker takes these locks.
///
/// # Errors
/// When the database is away.
pub async fn lock_newcomers(tx: &mut Tx, account_ids: &[String]) -> Result<(), Error> {
    sqlx::query(include_str!("../sql/fact_lock_newcomers.sql")).bind(account_ids).execute(&mut **tx).await?;
    Ok(())
}

/// The facts that are the given messages, or have their place in the account.
///
/// The four slices have one element per message. Refused facts have no place.
///
/// # Errors
/// When the database is away.
pub async fn known(
    connection: &mut PgConnection,
    messages: (&[&str], &[&str]),
    places: (&[&str], &[i64]),
) -> Result<Vec<FactRow>, Error> {
    let rows = sqlx::query(include_str!("../sql/fact_known.sql"))
        .bind(messages.0)
        .bind(messages.1)
        .bind(places.0)
        .bind(places.1)
        .fetch_all(connection)
        .await?;
    rows.iter().map(fact).collect()
}

/// Waiting facts of accounts, from a version on: at most `limit` per account, in order.
///
/// # Errors
/// When the database is away.
pub async fn waiting(
    connection: &mut PgConnection,
    account_ids: &[&str],
    from_versions: &[i64],
    limit: i64,
) -> Result<Vec<FactRow>, Error> {
    if account_ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = sqlx::query(include_str!("../sql/fact_waiting.sql"))
        .bind(account_ids)
        .bind(from_versions)
        .bind(limit)
        .fetch_all(connection)
        .await?;
    rows.iter().map(fact).collect()
}

/// Writes facts, and what became of those that waited.
///
/// # Errors
/// [`Error::Refused`] when a place in an account is taken.
pub async fn put(tx: &mut Tx, rows: &[FactRow]) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let texts = |pick: fn(&FactRow) -> &str| rows.iter().map(pick).collect::<Vec<_>>();
    sqlx::query(include_str!("../sql/fact_put.sql"))
        .bind(texts(|it| &it.source))
        .bind(texts(|it| &it.event_id))
        .bind(texts(|it| &it.account_id))
        .bind(rows.iter().map(|it| it.version).collect::<Vec<_>>())
        .bind(texts(|it| &it.kind))
        .bind(rows.iter().map(|it| it.digest.as_slice()).collect::<Vec<_>>())
        .bind(rows.iter().map(|it| it.body.as_deref()).collect::<Vec<_>>())
        .bind(rows.iter().map(|it| it.received_at).collect::<Vec<_>>())
        .bind(rows.iter().map(|it| it.applied_at).collect::<Vec<_>>())
        .bind(rows.iter().map(|it| it.refused_at).collect::<Vec<_>>())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The accounts whose next fact is there and waits: left over by a batch that
/// would have become too large.
///
/// # Errors
/// When the database is away.
pub async fn resumable(connection: &mut PgConnection, limit: i64) -> Result<Vec<String>, Error> {
    Ok(sqlx::query_scalar(include_str!("../sql/fact_resumable.sql"))
        .bind(limit)
        .fetch_all(connection)
        .await?)
}

/// The first waiting fact of each account that has waited since before `before`
/// and was not reported, with the last version that the account knows.
///
/// # Errors
/// When the database is away.
pub async fn overdue(
    connection: &mut PgConnection,
    before: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<(FactRow, i64)>, Error> {
    let rows = sqlx::query(include_str!("../sql/fact_overdue.sql"))
        .bind(before)
        .bind(limit)
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| Ok((fact(row)?, row.try_get("known_version")?))).collect()
}

/// Marks waiting facts as reported and answers with those that were not yet,
/// as `(source, event id)`.
///
/// # Errors
/// When the database is away.
pub async fn reported(
    tx: &mut Tx,
    sources: &[&str],
    event_ids: &[&str],
    at: DateTime<Utc>,
) -> Result<Vec<(String, String)>, Error> {
    Ok(sqlx::query_as(include_str!("../sql/fact_reported.sql"))
        .bind(sources)
        .bind(event_ids)
        .bind(at)
        .fetch_all(&mut **tx)
        .await?)
}

/// The refused facts of an account behind a version, in their order.
///
/// # Errors
/// When the database is away.
pub async fn refused(
    connection: &mut PgConnection,
    account_id: &str,
    behind: i64,
    limit: i64,
) -> Result<Vec<FactRow>, Error> {
    let rows = sqlx::query(include_str!("../sql/fact_refused.sql"))
        .bind(account_id)
        .bind(behind)
        .bind(limit)
        .fetch_all(connection)
        .await?;
    rows.iter().map(fact).collect()
}
