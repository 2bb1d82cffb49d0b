//! How many people withdrawals need, and what the rules of that ask the books.

use chrono::{DateTime, TimeDelta, Utc};
use domain::Pace;
use serde::Deserialize;
use serde_json::Value;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use crate::word::money;
use crate::{Error, Tx};

/// How many people one effect of a withdrawal needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needed {
    /// The withdrawal.
    pub withdrawal_id: Uuid,
    /// The effect that was looked at.
    pub effect_digest: Vec<u8>,
    /// So many people; none: a rule lets it go.
    pub people: i32,
    /// What each rule said: a list of objects with `rule`, `people` and `why`.
    pub demands: Value,
}

/// What one rule said about an effect.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Said {
    /// The rule's word, such as `amount` or `first_bank_card`.
    pub rule: String,
    /// So many people.
    pub people: u32,
    /// Why, in words.
    pub why: String,
}

impl Needed {
    /// What each rule said, the strictest first.
    #[must_use]
    pub fn said(&self) -> Vec<Said> {
        serde_json::from_value(self.demands.clone()).unwrap_or_default()
    }
}

/// What is known of the effects that withdrawals have now.
///
/// # Errors
/// When the database is away.
pub async fn needed(connection: &mut PgConnection, withdrawals: &[Uuid]) -> Result<Vec<Needed>, Error> {
    let rows = sqlx::query(include_str!("../sql/approval_demands.sql"))
        .bind(withdrawals)
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Needed {
                withdrawal_id: row.try_get("withdrawal_id")?,
                effect_digest: row.try_get("effect_digest")?,
                people: row.try_get("people")?,
                demands: row.try_get("demands")?,
            })
        })
        .collect()
}

/// Keeps how many people effects need. The first look at an effect stays.
///
/// # Errors
/// When the database is away.
pub async fn put(tx: &mut Tx, rows: &[Needed], at: DateTime<Utc>) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(include_str!("../sql/approval_demand_put.sql"))
        .bind(rows.iter().map(|it| it.withdrawal_id).collect::<Vec<_>>())
        .bind(rows.iter().map(|it| it.effect_digest.as_slice()).collect::<Vec<_>>())
        .bind(rows.iter().map(|it| it.people).collect::<Vec<_>>())
        .bind(rows.iter().map(|it| &it.demands).collect::<Vec<_>>())
        .bind(at)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Whose pace is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// The account's. The caller holds its lock.
    Account,
    /// The receiving bank account's. The caller holds its lock, too.
    Payee,
}

/// How often and how much went within `window`, per withdrawal, itself included.
/// A withdrawal without a receiving bank account has no pace of a payee.
///
/// # Errors
/// When the database is away.
pub async fn pace(
    tx: &mut Tx,
    withdrawals: &[Uuid],
    whose: Whose,
    (window, at): (TimeDelta, DateTime<Utc>),
) -> Result<Vec<(Uuid, Pace)>, Error> {
    let sql = match whose {
        Whose::Account => include_str!("../sql/approval_account_pace.sql"),
        Whose::Payee => include_str!("../sql/approval_payee_pace.sql"),
    };
    let rows =
        sqlx::query(sql).bind(withdrawals).bind(window.num_seconds()).bind(at).fetch_all(&mut **tx).await?;
    rows.iter()
        .map(|row| {
            let count: i64 = row.try_get("withdrawals")?;
            let pace = Pace { count: u32::try_from(count).unwrap_or(u32::MAX), sum: money(row, "amount")? };
            Ok((row.try_get("id")?, pace))
        })
        .collect()
}

/// Locks the receiving bank accounts of withdrawals until the transaction ends.
/// Comes after the locks of accounts and withdrawals.
///
/// # Errors
/// When the database is away.
pub async fn lock_payees(tx: &mut Tx, withdrawals: &[Uuid]) -> Result<(), Error> {
    sqlx::query(include_str!("../sql/approval_lock_payees.sql")).bind(withdrawals).execute(&mut **tx).await?;
    Ok(())
}

/// Those of the withdrawals that go to a bank card for the first time.
///
/// # Errors
/// When the database is away.
pub async fn first_bank_cards(tx: &mut Tx, withdrawals: &[Uuid]) -> Result<Vec<Uuid>, Error> {
    Ok(sqlx::query_scalar(include_str!("../sql/approval_first_bank_cards.sql"))
        .bind(withdrawals)
        .fetch_all(&mut **tx)
        .await?)
}
