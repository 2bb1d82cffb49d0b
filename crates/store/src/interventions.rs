//! What people see and do when the facts of an account stopped its withdrawals.

use chrono::{DateTime, Utc};
use domain::Money;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use crate::word::money;
use crate::{Error, Tx};

/// An account whose withdrawals are stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stopped {
    /// The account.
    pub account_id: String,
    /// The last fact that was applied.
    pub fact_version: i64,
    /// Why it is stopped; the first word says what kind of stop it is.
    pub because: String,
    /// When the account last changed.
    pub changed_at: DateTime<Utc>,
}

/// What people can do about a stopped account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::Display, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Action {
    /// The fact of this version will never come: the next one is applied.
    SkipFact {
        /// The version that is left out for ever.
        version: i64,
    },
    /// The cause of a stop that only people end is mended.
    EndStop,
}

/// Something that people did about an account: a row that stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intervention {
    /// The account.
    pub account_id: String,
    /// What they did.
    pub action: Action,
    /// Why the account was stopped at that moment.
    pub stopped: Option<String>,
    /// Why they did it.
    pub reason: String,
    /// Who.
    pub actor: String,
}

/// An intervention of the past.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    /// `skip_fact` or `end_stop`.
    pub action: String,
    /// The fact that was skipped.
    pub version: Option<i64>,
    /// Why the account was stopped at that moment.
    pub stopped: Option<String>,
    /// Why they did it.
    pub reason: String,
    /// Who.
    pub actor: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// The first of the facts that wait for others before them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FirstWaiting {
    /// Its version.
    pub version: i64,
    /// When it came.
    pub received_at: DateTime<Utc>,
    /// When people were told that the versions before it are missing.
    pub reported_at: Option<DateTime<Utc>>,
    /// How many facts of the account wait.
    pub waiting: i64,
}

/// Accounts whose withdrawals are stopped, longest first.
///
/// # Errors
/// When the database is away.
pub async fn stopped(connection: &mut PgConnection, limit: i64) -> Result<Vec<Stopped>, Error> {
    let rows =
        sqlx::query(include_str!("../sql/account_stopped.sql")).bind(limit).fetch_all(connection).await?;
    rows.iter()
        .map(|row| {
            Ok(Stopped {
                account_id: row.try_get("id")?,
                fact_version: row.try_get("fact_version")?,
                because: row.try_get("stopped_because")?,
                changed_at: row.try_get("changed_at")?,
            })
        })
        .collect()
}

/// The first waiting fact of an account, if any waits.
///
/// # Errors
/// When the database is away.
pub async fn first_waiting(
    connection: &mut PgConnection,
    account_id: &str,
) -> Result<Option<FirstWaiting>, Error> {
    let row = sqlx::query(include_str!("../sql/fact_first_waiting.sql"))
        .bind(account_id)
        .fetch_optional(connection)
        .await?;
    row.map(|row| {
        Ok(FirstWaiting {
            version: row.try_get("version")?,
            received_at: row.try_get("received_at")?,
            reported_at: row.try_get("reported_at")?,
            waiting: row.try_get("waiting")?,
        })
    })
    .transpose()
}

/// Writes an intervention, and the account as it is after it: its last known
/// fact and why it is stopped still. The caller holds the lock of the account.
///
/// # Errors
/// [`Error::Refused`] when that version was skipped before.
pub async fn put(
    tx: &mut Tx,
    it: &Intervention,
    (fact_version, stopped_because): (i64, Option<&str>),
    at: DateTime<Utc>,
) -> Result<(), Error> {
    let version = match it.action {
        Action::SkipFact { version } => Some(version),
        Action::EndStop => None,
    };
    sqlx::query(include_str!("../sql/account_intervention_put.sql"))
        .bind(Uuid::now_v7())
        .bind(&it.account_id)
        .bind(<&'static str>::from(it.action))
        .bind(version)
        .bind(&it.stopped)
        .bind(&it.reason)
        .bind(&it.actor)
        .bind(at)
        .execute(&mut **tx)
        .await?;
    sqlx::query(include_str!("../sql/account_intervene.sql"))
        .bind(&it.account_id)
        .bind(fact_version)
        .bind(stopped_because)
        .bind(at)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// What people did about an account, oldest first.
///
/// # Errors
/// When the database is away.
pub async fn of_account(connection: &mut PgConnection, account_id: &str) -> Result<Vec<Past>, Error> {
    let rows = sqlx::query(include_str!("../sql/account_interventions.sql"))
        .bind(account_id)
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Past {
                action: row.try_get("action")?,
                version: row.try_get("version")?,
                stopped: row.try_get("stopped")?,
                reason: row.try_get("reason")?,
                actor: row.try_get("actor")?,
                at: row.try_get("at")?,
            })
        })
        .collect()
}

/// What the top-ups of an account add up to: free and held.
///
/// # Errors
/// When the database is away.
pub async fn sums(connection: &mut PgConnection, account_id: &str) -> Result<(Money, Money), Error> {
    let row =
        sqlx::query(include_str!("../sql/account_sums.sql")).bind(account_id).fetch_one(connection).await?;
    Ok((money(&row, "remaining")?, money(&row, "held")?))
}
