//! Which schema the database has, and what its clock says: for `outflow doctor`.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};

use crate::{Database, Error};

/// The database's schema beside the one that this program knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Schema {
    /// Migrations that are not applied yet.
    pub missing: Vec<i64>,
    /// Migrations of a newer program.
    pub unknown: Vec<i64>,
}

/// Compares the migrations that were applied with those that travel along.
///
/// # Errors
/// When the database is away.
pub async fn compare(database: &Database) -> Result<Schema, Error> {
    let mut connection = database.pool().acquire().await?;
    let known: bool =
        sqlx::query_scalar(include_str!("../sql/schema_known.sql")).fetch_one(&mut *connection).await?;
    let applied: Vec<i64> = if known {
        sqlx::query_scalar(include_str!("../sql/schema_applied.sql")).fetch_all(&mut *connection).await?
    } else {
        Vec::new()
    };
    let applied: BTreeSet<i64> = applied.into_iter().collect();
    let wanted: BTreeSet<i64> =
        sqlx::migrate!("./migrations").iter().map(|migration| migration.version).collect();
    Ok(Schema {
        missing: wanted.difference(&applied).copied().collect(),
        unknown: applied.difference(&wanted).copied().collect(),
    })
}

/// Who this program is to the server.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Role {
    /// Its name.
    pub name: String,
    /// Before whom no guard of the database holds.
    pub is_superuser: bool,
    /// The server takes no writes.
    pub is_standby: bool,
    /// Whether it may write withdrawals; nothing where there is no such table.
    pub may_write: Option<bool>,
}

/// Asks who this program is to the server.
///
/// # Errors
/// When the database is away.
pub async fn role(database: &Database) -> Result<Role, Error> {
    Ok(sqlx::query_as(include_str!("../sql/schema_role.sql")).fetch_one(database.pool()).await?)
}

/// The moment by the server's clock.
///
/// # Errors
/// When the database is away.
pub async fn clock(connection: &mut PgConnection) -> Result<DateTime<Utc>, Error> {
    Ok(sqlx::query_scalar(include_str!("../sql/schema_clock.sql")).fetch_one(connection).await?)
}
