//! What happened, for people: reads that no worker needs.
//!
//! The command line and the console show a withdrawal whole: its moves, the
//! calls to gateways, the money between buckets. Nothing here decides anything.

use chrono::{DateTime, Utc};
use domain::Money;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use crate::Error;
use crate::word::money;

/// One move of a withdrawal or of one of its legs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastMove {
    /// The leg that moved; nothing when it was the withdrawal itself.
    pub leg_id: Option<Uuid>,
    /// 1, 2, 3, … per withdrawal, and per leg.
    pub sequence: i32,
    /// The state before; `new` for a row that did not exist.
    pub from: String,
    /// The state after.
    pub to: String,
    /// What happened.
    pub event: String,
    /// The worker or the person behind it.
    pub actor: String,
    /// What a reader should know.
    pub note: Option<String>,
    /// When.
    pub at: DateTime<Utc>,
}

/// One call to a gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastCall {
    /// The leg that it was for.
    pub leg_id: Uuid,
    /// The idempotency key that was sent.
    pub payout_no: String,
    /// Counts the calls of this leg and kind.
    pub number: i32,
    /// `pay` or `query`.
    pub kind: String,
    /// When its row was committed, before the call.
    pub started_at: DateTime<Utc>,
    /// What it brought; nothing while it is under way, or when it was interrupted.
    pub outcome: Option<String>,
    /// The gateway's code.
    pub code: Option<String>,
    /// The gateway's words.
    pub detail: Option<String>,
    /// The gateway's own number of the payment.
    pub reference: Option<String>,
    /// When the answer was written.
    pub finished_at: Option<DateTime<Utc>>,
}

/// One movement of money between buckets of a top-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastTransfer {
    /// The leg that caused it.
    pub leg_id: Uuid,
    /// The top-up, as the upstream names it.
    pub top_up: String,
    /// The bucket that it left.
    pub from: String,
    /// The bucket that it reached.
    pub to: String,
    /// How much.
    pub amount: Money,
    /// Why, in one word.
    pub cause: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// What a gateway told by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastNotice {
    /// The leg that it was about.
    pub leg_id: Uuid,
    /// The channel's own number of it.
    pub notice_id: String,
    /// What it claimed, in one word.
    pub claim: String,
    /// When it came.
    pub received_at: DateTime<Utc>,
    /// What settle made of it; nothing while it waits.
    pub effect: Option<String>,
}

/// How much there is of everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    /// Withdrawals, rejected ones included.
    pub withdrawals: i64,
    /// What all top-ups have paid out together.
    pub paid_out: Money,
    /// Parked messages that nobody has dealt with.
    pub parked: i64,
    /// Requests that came again.
    pub repeats: i64,
    /// Messages of the outbox that were not published yet.
    pub unpublished: i64,
}

/// Every move of a withdrawal and its legs, oldest first.
///
/// # Errors
/// When the database is away.
pub async fn moves(connection: &mut PgConnection, withdrawal: Uuid) -> Result<Vec<PastMove>, Error> {
    let rows =
        sqlx::query(include_str!("../sql/history_moves.sql")).bind(withdrawal).fetch_all(connection).await?;
    rows.iter()
        .map(|row| {
            Ok(PastMove {
                leg_id: row.try_get("leg_id")?,
                sequence: row.try_get("sequence")?,
                from: row.try_get("from_state")?,
                to: row.try_get("to_state")?,
                event: row.try_get("event")?,
                actor: row.try_get("actor")?,
                note: row.try_get("note")?,
                at: row.try_get("at")?,
            })
        })
        .collect()
}

/// Every call to a gateway for a withdrawal, oldest first.
///
/// # Errors
/// When the database is away.
pub async fn calls(connection: &mut PgConnection, withdrawal: Uuid) -> Result<Vec<PastCall>, Error> {
    let rows =
        sqlx::query(include_str!("../sql/history_calls.sql")).bind(withdrawal).fetch_all(connection).await?;
    rows.iter()
        .map(|row| {
            Ok(PastCall {
                leg_id: row.try_get("leg_id")?,
                payout_no: row.try_get("payout_no")?,
                number: row.try_get("number")?,
                kind: row.try_get("kind")?,
                started_at: row.try_get("started_at")?,
                outcome: row.try_get("outcome")?,
                code: row.try_get("code")?,
                detail: row.try_get("detail")?,
                reference: row.try_get("reference")?,
                finished_at: row.try_get("finished_at")?,
            })
        })
        .collect()
}

/// Every movement of money that a withdrawal caused, oldest first.
///
/// # Errors
/// When the database is away.
pub async fn transfers(connection: &mut PgConnection, withdrawal: Uuid) -> Result<Vec<PastTransfer>, Error> {
    let rows = sqlx::query(include_str!("../sql/history_transfers.sql"))
        .bind(withdrawal)
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| {
            Ok(PastTransfer {
                leg_id: row.try_get("leg_id")?,
                top_up: row.try_get("top_up_upstream_id")?,
                from: row.try_get("from_bucket")?,
                to: row.try_get("to_bucket")?,
                amount: money(row, "amount")?,
                cause: row.try_get("cause")?,
                at: row.try_get("at")?,
            })
        })
        .collect()
}

/// What gateways told by themselves about a withdrawal, oldest first.
///
/// # Errors
/// When the database is away.
pub async fn notices(connection: &mut PgConnection, withdrawal: Uuid) -> Result<Vec<PastNotice>, Error> {
    let rows = sqlx::query(include_str!("../sql/history_notices.sql"))
        .bind(withdrawal)
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| {
            Ok(PastNotice {
                leg_id: row.try_get("leg_id")?,
                notice_id: row.try_get("notice_id")?,
                claim: row.try_get("claim")?,
                received_at: row.try_get("received_at")?,
                effect: row.try_get("effect")?,
            })
        })
        .collect()
}

/// How much there is of everything, at one moment.
///
/// # Errors
/// When the database is away.
pub async fn totals(connection: &mut PgConnection) -> Result<Totals, Error> {
    let row = sqlx::query(include_str!("../sql/history_totals.sql")).fetch_one(connection).await?;
    Ok(Totals {
        withdrawals: row.try_get("withdrawals")?,
        paid_out: money(&row, "paid_out")?,
        parked: row.try_get("parked")?,
        repeats: row.try_get("repeats")?,
        unpublished: row.try_get("unpublished")?,
    })
}
