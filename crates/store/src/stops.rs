//! Stops: switches that keep money from leaving. Each keeps its whole story.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{Error, Tx};

/// The switch that stops every rail. The others bear their rail's name.
pub const ALL: &str = "all";

/// A switch that is thrown.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Stop {
    /// [`ALL`], or the name of a rail.
    pub name: String,
    /// Why it was thrown.
    pub reason: String,
    /// The person, or the duty.
    pub thrown_by: String,
    /// When it was thrown.
    pub thrown_at: DateTime<Utc>,
}

/// Every switch that is thrown.
///
/// # Errors
/// When the database is away.
pub async fn all(connection: &mut PgConnection) -> Result<Vec<Stop>, Error> {
    Ok(sqlx::query_as(include_str!("../sql/stop_all.sql")).fetch_all(connection).await?)
}

/// Throws a switch. False when it is thrown already: the first reason stands.
///
/// # Errors
/// When the database is away.
pub async fn throw(tx: &mut Tx, stop: &Stop) -> Result<bool, Error> {
    let done = sqlx::query(include_str!("../sql/stop_throw.sql"))
        .bind(Uuid::now_v7())
        .bind(&stop.name)
        .bind(&stop.reason)
        .bind(&stop.thrown_by)
        .bind(stop.thrown_at)
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Lifts a switch. False when it is not thrown.
///
/// # Errors
/// When the database is away.
pub async fn lift(
    tx: &mut Tx,
    name: &str,
    (reason, by): (&str, &str),
    at: DateTime<Utc>,
) -> Result<bool, Error> {
    let done = sqlx::query(include_str!("../sql/stop_lift.sql"))
        .bind(name)
        .bind(reason)
        .bind(by)
        .bind(at)
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected() == 1)
}
