//! Resolutions: what people say became of legs in manual review.

use chrono::{DateTime, Utc};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use crate::word::word;
use crate::{Error, Tx};

/// What became of a payment, as people found it out.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, strum::Display, strum::EnumString, strum::IntoStaticStr,
)]
#[strum(serialize_all = "snake_case")]
pub enum Claim {
    /// The money left.
    Paid,
    /// It did not, and will not.
    NotPaid,
}

/// What one person said, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolution {
    /// Its number.
    pub id: Uuid,
    /// CloudEvents source of the message.
    pub source: String,
    /// CloudEvents id of the message; unique with `source`.
    pub event_id: String,
    /// The leg.
    pub leg_id: Uuid,
    /// The leg's withdrawal.
    pub withdrawal_id: Uuid,
    /// The leg's sequence at that moment: which of its reviews is meant.
    pub review: i32,
    /// What became of the payment.
    pub claim: Claim,
    /// How the person knows.
    pub evidence: String,
    /// Who says it.
    pub actor: String,
    /// `proposed`, `applied`, or the code of the rule that refused it.
    pub result: String,
    /// When it was taken in.
    pub made_at: DateTime<Utc>,
}

/// Keeps resolutions. One that is known already is left as it was.
///
/// # Errors
/// When the database is away.
pub async fn put(tx: &mut Tx, rows: &[Resolution], at: DateTime<Utc>) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let texts = |pick: fn(&Resolution) -> &str| rows.iter().map(pick).collect::<Vec<_>>();
    sqlx::query(include_str!("../sql/resolution_put.sql"))
        .bind(rows.iter().map(|it| it.id).collect::<Vec<_>>())
        .bind(texts(|it| &it.source))
        .bind(texts(|it| &it.event_id))
        .bind(rows.iter().map(|it| it.leg_id).collect::<Vec<_>>())
        .bind(rows.iter().map(|it| it.withdrawal_id).collect::<Vec<_>>())
        .bind(rows.iter().map(|it| it.review).collect::<Vec<_>>())
        .bind(texts(|it| it.claim.into()))
        .bind(texts(|it| &it.evidence))
        .bind(texts(|it| &it.actor))
        .bind(texts(|it| &it.result))
        .bind(at)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Everything that people said became of the legs of these withdrawals, oldest first.
///
/// # Errors
/// When the database is away.
pub async fn of_withdrawals(
    connection: &mut PgConnection,
    withdrawals: &[Uuid],
) -> Result<Vec<Resolution>, Error> {
    let rows = sqlx::query(include_str!("../sql/resolution_of_withdrawals.sql"))
        .bind(withdrawals)
        .fetch_all(connection)
        .await?;
    rows.iter().map(resolution).collect()
}

fn resolution(row: &PgRow) -> Result<Resolution, Error> {
    Ok(Resolution {
        id: row.try_get("id")?,
        source: row.try_get("source")?,
        event_id: row.try_get("event_id")?,
        leg_id: row.try_get("leg_id")?,
        withdrawal_id: row.try_get("withdrawal_id")?,
        review: row.try_get("review")?,
        claim: word(row, "claim")?,
        evidence: row.try_get("evidence")?,
        actor: row.try_get("actor")?,
        result: row.try_get("result")?,
        made_at: row.try_get("made_at")?,
    })
}
