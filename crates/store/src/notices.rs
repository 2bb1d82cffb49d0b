//! Notices: what gateways tell us by themselves, kept for ever.
//!
//! The receiver writes a row and answers; settle makes something of it later.

use chrono::{DateTime, Utc};
use domain::{Money, Rail};
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use crate::word::{money, word};
use crate::{Error, Tx};

/// What a notice claims, in the words of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::Display, strum::EnumString, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Claim {
    /// The money left.
    Paid,
    /// It will not leave.
    Refused,
    /// It left and came back.
    Returned,
    /// Something else happened.
    Unclear,
}

/// What the receiver thought of a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::Display, strum::EnumString, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Verdict {
    /// It speaks of a leg of ours, in its amount.
    Accepted,
    /// Nobody here minted its number.
    NotOurs,
    /// Another amount or another rail than the leg's. It changes nothing.
    Differs,
}

/// A leg as far as notices are compared with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addressee {
    /// The leg.
    pub leg_id: Uuid,
    /// Its number at the gateway.
    pub payout_no: String,
    /// Who carries it.
    pub rail: Rail,
    /// How much.
    pub amount: Money,
}

/// A notice whose signature held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Its number here.
    pub id: Uuid,
    /// Who sent it.
    pub rail: Rail,
    /// The channel's own number, the same in every repeat.
    pub notice_id: String,
    /// The payout that it speaks of.
    pub payout_no: String,
    /// The leg, where the verdict is [`Verdict::Accepted`].
    pub leg_id: Option<Uuid>,
    /// The amount that it names.
    pub amount: Money,
    /// What it claims.
    pub claim: Claim,
    /// What we think of it.
    pub verdict: Verdict,
    /// When it happened, where the channel says so.
    pub happened_at: Option<DateTime<Utc>>,
}

/// A notice that settle has not looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Its number here.
    pub id: Uuid,
    /// The leg that it speaks of.
    pub leg_id: Uuid,
    /// The channel's own number.
    pub notice_id: String,
    /// What it claims.
    pub claim: Claim,
}

/// The legs behind payout numbers; a number that is none of ours is left out.
///
/// # Errors
/// When the database is away.
pub async fn addressees(connection: &mut PgConnection, payout_nos: &[&str]) -> Result<Vec<Addressee>, Error> {
    let rows =
        sqlx::query(include_str!("../sql/notice_legs.sql")).bind(payout_nos).fetch_all(connection).await?;
    rows.iter()
        .map(|row| {
            Ok(Addressee {
                leg_id: row.try_get("id")?,
                payout_no: row.try_get("payout_no")?,
                rail: word(row, "rail")?,
                amount: money(row, "amount")?,
            })
        })
        .collect()
}

/// Keeps notices, and answers with the ids of those that were not known yet.
///
/// # Errors
/// When the database is away.
pub async fn put(tx: &mut Tx, notices: &[Received], at: DateTime<Utc>) -> Result<Vec<Uuid>, Error> {
    if notices.is_empty() {
        return Ok(Vec::new());
    }
    Ok(sqlx::query_scalar(include_str!("../sql/notice_put.sql"))
        .bind(notices.iter().map(|it| it.id).collect::<Vec<_>>())
        .bind(notices.iter().map(|it| it.rail.into()).collect::<Vec<&'static str>>())
        .bind(notices.iter().map(|it| it.notice_id.as_str()).collect::<Vec<_>>())
        .bind(notices.iter().map(|it| it.payout_no.as_str()).collect::<Vec<_>>())
        .bind(notices.iter().map(|it| it.leg_id).collect::<Vec<_>>())
        .bind(notices.iter().map(|it| it.amount.minor()).collect::<Vec<_>>())
        .bind(notices.iter().map(|it| it.claim.into()).collect::<Vec<&'static str>>())
        .bind(notices.iter().map(|it| it.verdict.into()).collect::<Vec<&'static str>>())
        .bind(notices.iter().map(|it| it.happened_at).collect::<Vec<_>>())
        .bind(at)
        .fetch_all(&mut **tx)
        .await?)
}

/// Notices that settle has not looked at, oldest first. Not locked: whoever
/// takes them up locks the cases of their legs and looks again.
///
/// # Errors
/// When the database is away.
pub async fn waiting(connection: &mut PgConnection, limit: i64) -> Result<Vec<Waiting>, Error> {
    let rows =
        sqlx::query(include_str!("../sql/notice_waiting.sql")).bind(limit).fetch_all(connection).await?;
    rows.iter()
        .map(|row| {
            Ok(Waiting {
                id: row.try_get("id")?,
                leg_id: row.try_get("leg_id")?,
                notice_id: row.try_get("notice_id")?,
                claim: word(row, "claim")?,
            })
        })
        .collect()
}

/// Notes what became of notices: their numbers here, and a word for each. What
/// another pass has noted already stays.
///
/// # Errors
/// When the database is away.
pub async fn applied(tx: &mut Tx, effects: &[(Uuid, &'static str)], at: DateTime<Utc>) -> Result<(), Error> {
    if effects.is_empty() {
        return Ok(());
    }
    sqlx::query(include_str!("../sql/notice_applied.sql"))
        .bind(effects.iter().map(|it| it.0).collect::<Vec<_>>())
        .bind(effects.iter().map(|it| it.1).collect::<Vec<_>>())
        .bind(at)
        .execute(&mut **tx)
        .await?;
    Ok(())
}
