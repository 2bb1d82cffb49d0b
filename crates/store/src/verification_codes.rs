//! Verification codes: what they are bound to, and how often they were tried (R10).
//!
//! A code itself is never stored: only a keyed digest of it.

use chrono::{DateTime, Utc};
use domain::{Currency, Money, Route};
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use crate::word::{money, word};
use crate::{Error, Tx};

/// A code that was issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerificationCode {
    /// Its number.
    pub id: Uuid,
    /// Whose money it is about.
    pub account_id: String,
    /// How much will be asked for.
    pub amount: Money,
    /// In which currency.
    pub currency: Currency,
    /// By which route.
    pub route: Route,
    /// The request that it will prove.
    pub request_id: String,
    /// HMAC of the code.
    pub code_digest: Vec<u8>,
    /// When it was issued.
    pub issued_at: DateTime<Utc>,
    /// From then on it is of no use.
    pub expires_at: DateTime<Utc>,
    /// Wrong guesses so far.
    pub guesses: i32,
    /// When it was entered rightly.
    pub confirmed_at: Option<DateTime<Utc>>,
}

/// How many codes an account was issued after `since`. The caller holds the
/// account's lock.
///
/// # Errors
/// When the database is away.
pub async fn issued_since(
    connection: &mut PgConnection,
    account_id: &str,
    since: DateTime<Utc>,
) -> Result<i64, Error> {
    Ok(sqlx::query_scalar(include_str!("../sql/verification_code_issued_since.sql"))
        .bind(account_id)
        .bind(since)
        .fetch_one(connection)
        .await?)
}

/// Writes a new code. An older one for the same request ends with it. The
/// caller holds the account's lock.
///
/// # Errors
/// When the database is away.
pub async fn put(tx: &mut Tx, code: &VerificationCode) -> Result<(), Error> {
    sqlx::query(include_str!("../sql/verification_code_put.sql"))
        .bind(code.id)
        .bind(&code.account_id)
        .bind(code.amount.minor())
        .bind(<&str>::from(code.currency))
        .bind(<&str>::from(code.route))
        .bind(&code.request_id)
        .bind(&code.code_digest)
        .bind(code.issued_at)
        .bind(code.expires_at)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// One code, locked, so that guesses at it are counted one after the other.
///
/// # Errors
/// When the database is away.
pub async fn lock(tx: &mut Tx, id: Uuid) -> Result<Option<VerificationCode>, Error> {
    let row = sqlx::query(include_str!("../sql/verification_code_lock.sql"))
        .bind(id)
        .fetch_optional(&mut **tx)
        .await?;
    row.map(|row| {
        Ok(VerificationCode {
            id: row.try_get("id")?,
            account_id: row.try_get("account_id")?,
            amount: money(&row, "amount")?,
            currency: word(&row, "currency")?,
            route: word(&row, "route")?,
            request_id: row.try_get("request_id")?,
            code_digest: row.try_get("code_digest")?,
            issued_at: row.try_get("issued_at")?,
            expires_at: row.try_get("expires_at")?,
            guesses: row.try_get("guesses")?,
            confirmed_at: row.try_get("confirmed_at")?,
        })
    })
    .transpose()
}

/// Writes what a guess at a locked code changed.
///
/// # Errors
/// When the database is away.
pub async fn tried(tx: &mut Tx, code: &VerificationCode) -> Result<(), Error> {
    sqlx::query(include_str!("../sql/verification_code_tried.sql"))
        .bind(code.id)
        .bind(code.guesses)
        .bind(code.confirmed_at)
        .execute(&mut **tx)
        .await?;
    Ok(())
}
