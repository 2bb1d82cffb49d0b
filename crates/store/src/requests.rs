//! Requests that came again: what was asked first, and that it was asked twice.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use crate::{Error, Tx};

/// A delivery of a request that is known already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repeat {
    /// Its number here.
    pub id: Uuid,
    /// The withdrawal that answers the first one.
    pub withdrawal_id: Uuid,
    /// `same` or `conflict`.
    pub verdict: &'static str,
    /// SHA-256 of what came now.
    pub digest: Vec<u8>,
    /// The names of the fields that differ, as a JSON list.
    pub differing: Value,
}

/// The requests of withdrawals, as they were asked for.
///
/// # Errors
/// When the database is away.
pub async fn originals(connection: &mut PgConnection, ids: &[Uuid]) -> Result<HashMap<Uuid, Value>, Error> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows =
        sqlx::query(include_str!("../sql/request_originals.sql")).bind(ids).fetch_all(connection).await?;
    rows.iter().map(|row| Ok((row.try_get("id")?, row.try_get("request")?))).collect()
}

/// Keeps that requests came again.
///
/// # Errors
/// When the database is away.
pub async fn repeated(tx: &mut Tx, repeats: &[Repeat], at: DateTime<Utc>) -> Result<(), Error> {
    if repeats.is_empty() {
        return Ok(());
    }
    sqlx::query(include_str!("../sql/request_repeated.sql"))
        .bind(repeats.iter().map(|it| it.id).collect::<Vec<_>>())
        .bind(repeats.iter().map(|it| it.withdrawal_id).collect::<Vec<_>>())
        .bind(repeats.iter().map(|it| it.verdict).collect::<Vec<_>>())
        .bind(repeats.iter().map(|it| it.digest.as_slice()).collect::<Vec<_>>())
        .bind(repeats.iter().map(|it| &it.differing).collect::<Vec<_>>())
        .bind(at)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Whether the request is ours to decide until the transaction ends; false when
/// another call decides the same one at this moment. Does not wait.
///
/// # Errors
/// When the database is away.
pub async fn try_lock(tx: &mut Tx, source: &str, id: &str) -> Result<bool, Error> {
    Ok(sqlx::query_scalar(include_str!("../sql/request_try_lock.sql"))
        .bind(source)
        .bind(id)
        .fetch_one(&mut **tx)
        .await?)
}
