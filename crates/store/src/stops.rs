//! Stops: switches that keep money from leaving.

use sqlx::PgConnection;

use crate::{Error, Tx};

/// Whether sends by `rail` are stopped: by its own switch, or by the one for all.
///
/// # Errors
/// When the database is away; a caller that does not know must not send (S07).
pub async fn thrown(tx: &mut Tx, rail: &'static str) -> Result<bool, Error> {
    Ok(sqlx::query_scalar(include_str!("../sql/stop_thrown.sql")).bind(rail).fetch_one(&mut **tx).await?)
}

/// Every switch that is thrown, with its reason.
///
/// # Errors
/// When the database is away.
pub async fn all(connection: &mut PgConnection) -> Result<Vec<(String, String)>, Error> {
    Ok(sqlx::query_as(include_str!("../sql/stop_all.sql")).fetch_all(connection).await?)
}
