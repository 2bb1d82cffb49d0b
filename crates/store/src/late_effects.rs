//! Late effects: what a gateway said about a leg that had ended differently.
//!
//! Such a word moves nothing by itself. It is kept for ever and shown, and a leg
//! whose predecessor was paid after all is not sent.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{Error, Tx};

/// What the gateway says happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::Display, strum::EnumString, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Claim {
    /// It paid.
    Paid,
    /// It paid, and the money came back.
    Returned,
}

/// How we know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::Display, strum::EnumString, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum ToldBy {
    /// A notice that it sent.
    Notice,
    /// Its answer to a query.
    Query,
    /// Its statement.
    Statement,
}

/// A word that came too late.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LateEffect {
    /// The leg that it speaks of.
    pub leg_id: Uuid,
    /// The withdrawal of the leg.
    pub withdrawal_id: Uuid,
    /// The leg's state when it was said.
    pub state: &'static str,
    /// What it says.
    pub claim: Claim,
    /// How we know.
    pub told_by: ToldBy,
    /// Where it stands: a notice's number, a statement, the gateway's reference.
    pub detail: String,
}

/// A late effect as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct PastLateEffect {
    /// The leg.
    pub leg_id: Uuid,
    /// The leg's state when it was said.
    pub state: String,
    /// `paid` or `returned`.
    pub claim: String,
    /// `notice`, `query` or `statement`.
    pub told_by: String,
    /// Where it stands.
    pub detail: String,
    /// When it was found.
    pub found_at: DateTime<Utc>,
}

/// Keeps late effects. The same word about the same leg is kept once.
///
/// # Errors
/// When the database is away.
pub async fn put(tx: &mut Tx, found: &[LateEffect], at: DateTime<Utc>) -> Result<(), Error> {
    if found.is_empty() {
        return Ok(());
    }
    sqlx::query(include_str!("../sql/late_effect_put.sql"))
        .bind(found.iter().map(|_| Uuid::now_v7()).collect::<Vec<_>>())
        .bind(found.iter().map(|it| it.leg_id).collect::<Vec<_>>())
        .bind(found.iter().map(|it| it.withdrawal_id).collect::<Vec<_>>())
        .bind(found.iter().map(|it| it.state).collect::<Vec<_>>())
        .bind(found.iter().map(|it| it.claim.into()).collect::<Vec<&'static str>>())
        .bind(found.iter().map(|it| it.told_by.into()).collect::<Vec<&'static str>>())
        .bind(found.iter().map(|it| it.detail.as_str()).collect::<Vec<_>>())
        .bind(at)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Those of the legs whose gateway said later that it paid them after all.
///
/// # Errors
/// When the database is away.
pub async fn paid_after_all(tx: &mut Tx, legs: &[Uuid]) -> Result<BTreeSet<Uuid>, Error> {
    if legs.is_empty() {
        return Ok(BTreeSet::new());
    }
    let found: Vec<Uuid> = sqlx::query_scalar(include_str!("../sql/late_effect_legs.sql"))
        .bind(legs)
        .fetch_all(&mut **tx)
        .await?;
    Ok(found.into_iter().collect())
}

/// What gateways said too late about the legs of a withdrawal, oldest first.
///
/// # Errors
/// When the database is away.
pub async fn of_withdrawal(
    connection: &mut PgConnection,
    withdrawal: Uuid,
) -> Result<Vec<PastLateEffect>, Error> {
    Ok(sqlx::query_as(include_str!("../sql/late_effect_of_withdrawal.sql"))
        .bind(withdrawal)
        .fetch_all(connection)
        .await?)
}
