//! The journal of money: every movement between the buckets of a top-up.
//!
//! [`apply`] is the only statement that changes a bucket. It writes the journal
//! rows, the buckets of the top-ups and the running totals of the accounts in
//! one transaction, so that the three cannot differ (R9b).

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::Money;
use strum::{Display, EnumIter, EnumString, IntoStaticStr};
use uuid::Uuid;

use crate::{Error, Tx};

/// Where a part of a top-up is.
///
/// R9b: `original = remaining + allocated + consumed + held + paid_out`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Display, EnumString, EnumIter, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Bucket {
    /// Not in the account: before the credit.
    Outside,
    /// In the account and free.
    Remaining,
    /// Given to an enterprise member (R5).
    Allocated,
    /// Spent on billed usage.
    Consumed,
    /// Held for a withdrawal that is not final.
    Held,
    /// Withdrawn.
    PaidOut,
}

/// An amount that moves from one bucket of a top-up to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Movement {
    /// The owner of the top-up.
    pub account_id: String,
    /// The top-up.
    pub top_up_id: Uuid,
    /// Where the amount was.
    pub from: Bucket,
    /// Where it is now.
    pub to: Bucket,
    /// How much; more than nothing.
    pub amount: Money,
    /// Why: `credited`, `billed`, `granted`, `reclaimed`, `hold`, `release`, `payout`, `returned`.
    pub cause: &'static str,
    /// The fact, allocation or leg behind it.
    pub cause_id: String,
}

/// What a batch of movements adds to the buckets of one top-up (or account).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Delta {
    remaining: i64,
    allocated: i64,
    consumed: i64,
    held: i64,
    paid_out: i64,
}

impl Delta {
    fn add(&mut self, bucket: Bucket, amount: i64) {
        match bucket {
            Bucket::Outside => {}
            Bucket::Remaining => self.remaining += amount,
            Bucket::Allocated => self.allocated += amount,
            Bucket::Consumed => self.consumed += amount,
            Bucket::Held => self.held += amount,
            Bucket::PaidOut => self.paid_out += amount,
        }
    }
}

/// Writes movements: the journal, the buckets and the totals of the accounts.
///
/// The caller holds the locks of the accounts. A credit's top-up row is inserted
/// by the caller with its `remaining`; here it only reaches journal and totals.
///
/// # Errors
/// [`Error::Refused`] when a bucket would fall below nothing (a CHECK of the
/// schema): the plan was made on other rows than these.
pub async fn apply(tx: &mut Tx, movements: &[Movement], at: DateTime<Utc>) -> Result<(), Error> {
    if movements.is_empty() {
        return Ok(());
    }
    put(tx, movements, at).await?;
    let mut top_ups: BTreeMap<Uuid, Delta> = BTreeMap::new();
    let mut accounts: BTreeMap<&str, Delta> = BTreeMap::new();
    for it in movements {
        let account = accounts.entry(&it.account_id).or_default();
        account.add(it.from, -it.amount.minor());
        account.add(it.to, it.amount.minor());
        if it.from != Bucket::Outside {
            let top_up = top_ups.entry(it.top_up_id).or_default();
            top_up.add(it.from, -it.amount.minor());
            top_up.add(it.to, it.amount.minor());
        }
    }
    move_buckets(tx, &top_ups).await?;
    move_totals(tx, &accounts).await
}

async fn put(tx: &mut Tx, movements: &[Movement], at: DateTime<Utc>) -> Result<(), Error> {
    let texts = |pick: fn(&Movement) -> &str| movements.iter().map(pick).collect::<Vec<_>>();
    sqlx::query(include_str!("../sql/transfer_put.sql"))
        .bind(texts(|it| &it.account_id))
        .bind(movements.iter().map(|it| it.top_up_id).collect::<Vec<_>>())
        .bind(texts(|it| it.from.into()))
        .bind(texts(|it| it.to.into()))
        .bind(movements.iter().map(|it| it.amount.minor()).collect::<Vec<_>>())
        .bind(texts(|it| it.cause))
        .bind(texts(|it| &it.cause_id))
        .bind(at)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

async fn move_buckets(tx: &mut Tx, top_ups: &BTreeMap<Uuid, Delta>) -> Result<(), Error> {
    if top_ups.is_empty() {
        return Ok(());
    }
    let column = |pick: fn(&Delta) -> i64| top_ups.values().map(pick).collect::<Vec<_>>();
    let moved = sqlx::query(include_str!("../sql/top_up_move.sql"))
        .bind(top_ups.keys().copied().collect::<Vec<_>>())
        .bind(column(|it| it.remaining))
        .bind(column(|it| it.allocated))
        .bind(column(|it| it.consumed))
        .bind(column(|it| it.held))
        .bind(column(|it| it.paid_out))
        .execute(&mut **tx)
        .await?;
    if moved.rows_affected() == top_ups.len() as u64 {
        Ok(())
    } else {
        Err(Error::Stale { what: "a top-up" })
    }
}

async fn move_totals(tx: &mut Tx, accounts: &BTreeMap<&str, Delta>) -> Result<(), Error> {
    let column = |pick: fn(&Delta) -> i64| accounts.values().map(pick).collect::<Vec<_>>();
    let moved = sqlx::query(include_str!("../sql/account_move.sql"))
        .bind(accounts.keys().copied().collect::<Vec<_>>())
        .bind(column(|it| it.remaining))
        .bind(column(|it| it.held))
        .execute(&mut **tx)
        .await?;
    if moved.rows_affected() == accounts.len() as u64 {
        Ok(())
    } else {
        Err(Error::Stale { what: "an account" })
    }
}
