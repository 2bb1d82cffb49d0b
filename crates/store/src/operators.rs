//! People and services that use the API and the console, with their roles.
//!
//! A token and a cookie are 256 random bits, so that a plain SHA-256 of them is
//! all that has to be kept: nobody can try them out.

use aws_lc_rs::digest::{SHA256, digest};
use chrono::{DateTime, Utc};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use strum::{Display, EnumIter, EnumString, IntoStaticStr};
use uuid::Uuid;

use crate::word::word;
use crate::{Error, Tx};

/// What somebody may do. Each role may do what those before it may.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Display, EnumString, EnumIter, IntoStaticStr,
)]
#[strum(serialize_all = "snake_case")]
pub enum Role {
    /// Look at everything that is not sealed.
    Viewer,
    /// Ask for money, give details, take back, stop channels, deal with parked messages.
    Operator,
    /// Approve and deny.
    Approver,
    /// Everything.
    Admin,
}

/// Somebody who may use the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    /// Its number.
    pub id: Uuid,
    /// The actor of everything that is done with the token.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Since when.
    pub created_at: DateTime<Utc>,
    /// Who added it.
    pub created_by: String,
    /// Until when, where the token was taken back.
    pub revoked_at: Option<DateTime<Utc>>,
    /// Who took it back.
    pub revoked_by: Option<String>,
}

/// What is kept of a token or of a cookie.
#[must_use]
pub fn token_digest(token: &str) -> Vec<u8> {
    digest(&SHA256, token.as_bytes()).as_ref().to_vec()
}

fn operator(row: &PgRow) -> Result<Operator, Error> {
    Ok(Operator {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        role: word(row, "role")?,
        created_at: row.try_get("created_at")?,
        created_by: row.try_get("created_by")?,
        revoked_at: row.try_get("revoked_at")?,
        revoked_by: row.try_get("revoked_by")?,
    })
}

/// Adds an operator with a token. False when the name is taken.
///
/// # Errors
/// When the database is away.
pub async fn add(tx: &mut Tx, new: &Operator, token: &str) -> Result<bool, Error> {
    let done = sqlx::query(include_str!("../sql/operator_put.sql"))
        .bind(new.id)
        .bind(&new.name)
        .bind(<&str>::from(new.role))
        .bind(token_digest(token))
        .bind(&new.created_by)
        .bind(new.created_at)
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Takes the token of `name` back, and ends its sessions. False when nobody of
/// that name is in force.
///
/// # Errors
/// When the database is away.
pub async fn revoke(tx: &mut Tx, name: &str, by: &str, at: DateTime<Utc>) -> Result<bool, Error> {
    let gone = sqlx::query(include_str!("../sql/operator_revoke.sql"))
        .bind(name)
        .bind(by)
        .bind(at)
        .fetch_optional(&mut **tx)
        .await?;
    Ok(gone.is_some())
}

/// Whose token it is; nothing when it is nobody's, or was taken back.
///
/// # Errors
/// When the database is away.
pub async fn by_token(connection: &mut PgConnection, token: &str) -> Result<Option<Operator>, Error> {
    let row = sqlx::query(include_str!("../sql/operator_by_token.sql"))
        .bind(token_digest(token))
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(operator).transpose()
}

/// Every operator, those in force first.
///
/// # Errors
/// When the database is away.
pub async fn all(connection: &mut PgConnection) -> Result<Vec<Operator>, Error> {
    let rows = sqlx::query(include_str!("../sql/operator_all.sql")).fetch_all(connection).await?;
    rows.iter().map(operator).collect()
}

/// Opens a session of the console for whoever holds `cookie`.
///
/// # Errors
/// When the database is away.
pub async fn open_session(
    tx: &mut Tx,
    (cookie, operator): (&str, Uuid),
    at: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<(), Error> {
    sqlx::query(include_str!("../sql/session_put.sql"))
        .bind(token_digest(cookie))
        .bind(operator)
        .bind(at)
        .bind(until)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Whose session it is; nothing when it is over or was never opened.
///
/// # Errors
/// When the database is away.
pub async fn by_session(
    connection: &mut PgConnection,
    cookie: &str,
    at: DateTime<Utc>,
) -> Result<Option<Operator>, Error> {
    let row = sqlx::query(include_str!("../sql/session_operator.sql"))
        .bind(token_digest(cookie))
        .bind(at)
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(operator).transpose()
}

/// Ends a session.
///
/// # Errors
/// When the database is away.
pub async fn end_session(tx: &mut Tx, cookie: &str, at: DateTime<Utc>) -> Result<(), Error> {
    sqlx::query(include_str!("../sql/session_end.sql"))
        .bind(token_digest(cookie))
        .bind(at)
        .execute(&mut **tx)
        .await?;
    Ok(())
}
