//! Reminders before a wait for details or a decision ends: one per wait.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{Error, Tx};

/// Withdrawals whose wait ends after `at` and not later than `soon`, and that
/// nobody was reminded of.
///
/// # Errors
/// When the database is away.
pub async fn due(
    tx: &mut Tx,
    (at, soon): (DateTime<Utc>, DateTime<Utc>),
    limit: i64,
) -> Result<Vec<Uuid>, Error> {
    Ok(sqlx::query_scalar(include_str!("../sql/reminder_due.sql"))
        .bind(at)
        .bind(soon)
        .bind(limit)
        .fetch_all(&mut **tx)
        .await?)
}

/// Keeps that somebody was reminded, and answers with those that are new.
///
/// # Errors
/// When the database is away.
pub async fn put(
    tx: &mut Tx,
    waits: &[(Uuid, DateTime<Utc>)],
    at: DateTime<Utc>,
) -> Result<Vec<Uuid>, Error> {
    let (withdrawals, ends): (Vec<Uuid>, Vec<DateTime<Utc>>) = waits.iter().copied().unzip();
    Ok(sqlx::query_scalar(include_str!("../sql/reminder_put.sql"))
        .bind(withdrawals)
        .bind(ends)
        .bind(at)
        .fetch_all(&mut **tx)
        .await?)
}
