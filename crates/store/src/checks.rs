//! What the verify duty found last, one row per invariant.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use crate::{Error, Tx};

/// An invariant and what the last look at it brought.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Check {
    /// Its id, such as `I02`.
    pub invariant: String,
    /// How many rows break it; 0: it holds.
    pub violations: i32,
    /// The first of them, in words; nothing while it holds.
    pub example: Option<String>,
    /// When it was looked at.
    pub checked_at: DateTime<Utc>,
    /// Since when it is broken; nothing while it holds.
    pub broken_since: Option<DateTime<Utc>>,
}

/// What an invariant came to now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its id, such as `I02`.
    pub invariant: &'static str,
    /// How many rows break it.
    pub violations: i32,
    /// The first of them, in words.
    pub example: Option<String>,
}

/// What every invariant came to at the last look; empty before the first one.
///
/// # Errors
/// When the database is away.
pub async fn all(connection: &mut PgConnection) -> Result<Vec<Check>, Error> {
    Ok(sqlx::query_as(include_str!("../sql/invariant_check_all.sql")).fetch_all(connection).await?)
}

/// Keeps what invariants came to.
///
/// # Errors
/// When the database is away.
pub async fn put(tx: &mut Tx, found: &[Found], at: DateTime<Utc>) -> Result<(), Error> {
    sqlx::query(include_str!("../sql/invariant_check_put.sql"))
        .bind(found.iter().map(|it| it.invariant).collect::<Vec<_>>())
        .bind(found.iter().map(|it| it.violations).collect::<Vec<_>>())
        .bind(found.iter().map(|it| it.example.as_deref()).collect::<Vec<_>>())
        .bind(at)
        .execute(&mut **tx)
        .await?;
    Ok(())
}
