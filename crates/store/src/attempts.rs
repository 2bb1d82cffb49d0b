//! Attempts: one row per call to a gateway, committed before the call.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{Error, Tx};

/// What a call asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::Display, strum::EnumString, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Kind {
    /// A payment.
    Pay,
    /// What became of one.
    Query,
}

/// A call that is about to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Its number.
    pub id: Uuid,
    /// The leg it is for.
    pub leg_id: Uuid,
    /// The idempotency key that will be sent.
    pub payout_no: String,
    /// Counts the calls of this leg and kind: 1, 2, 3, …
    pub number: i32,
    /// What it asks for.
    pub kind: Kind,
}

/// What a call brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptOutcome {
    /// The call.
    pub attempt_id: Uuid,
    /// The class of the outcome, such as `succeeded` or `unknown`.
    pub outcome: &'static str,
    /// The gateway's code.
    pub code: Option<String>,
    /// The gateway's words.
    pub detail: Option<String>,
    /// The gateway's own number of the payment.
    pub reference: Option<String>,
}

/// Writes the rows of calls that may begin once this transaction is committed.
///
/// # Errors
/// [`Error::Refused`] when the leg has a call of that number already.
pub async fn start(tx: &mut Tx, attempts: &[Attempt], at: DateTime<Utc>) -> Result<(), Error> {
    if attempts.is_empty() {
        return Ok(());
    }
    sqlx::query(include_str!("../sql/attempt_start.sql"))
        .bind(attempts.iter().map(|it| it.id).collect::<Vec<_>>())
        .bind(attempts.iter().map(|it| it.leg_id).collect::<Vec<_>>())
        .bind(attempts.iter().map(|it| it.payout_no.as_str()).collect::<Vec<_>>())
        .bind(attempts.iter().map(|it| it.number).collect::<Vec<_>>())
        .bind(attempts.iter().map(|it| it.kind.into()).collect::<Vec<&'static str>>())
        .bind(at)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Writes what calls brought. A second outcome of the same call is ignored.
///
/// # Errors
/// When the database is away.
pub async fn finish(
    connection: &mut PgConnection,
    outcomes: &[AttemptOutcome],
    at: DateTime<Utc>,
) -> Result<(), Error> {
    if outcomes.is_empty() {
        return Ok(());
    }
    sqlx::query(include_str!("../sql/attempt_finish.sql"))
        .bind(outcomes.iter().map(|it| it.attempt_id).collect::<Vec<_>>())
        .bind(outcomes.iter().map(|it| it.outcome).collect::<Vec<_>>())
        .bind(outcomes.iter().map(|it| it.code.as_deref()).collect::<Vec<_>>())
        .bind(outcomes.iter().map(|it| it.detail.as_deref()).collect::<Vec<_>>())
        .bind(outcomes.iter().map(|it| it.reference.as_deref()).collect::<Vec<_>>())
        .bind(at)
        .execute(connection)
        .await?;
    Ok(())
}
