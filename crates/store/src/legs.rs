//! Legs: one top-up slice on its way to one destination (R17).

use chrono::{DateTime, NaiveDate, Utc};
use domain::{LegState, Money, Payment, Rail};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use crate::word::{money, word};
use crate::{Error, Tx};

/// A leg as it is stored. Every change of state raises `sequence` by one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leg {
    /// Its number.
    pub id: Uuid,
    /// The withdrawal it belongs to.
    pub withdrawal_id: Uuid,
    /// The owner of the money.
    pub account_id: String,
    /// The slice that it pays back.
    pub top_up_id: Uuid,
    /// The upstream's number of that slice, as events name it.
    pub top_up_upstream_id: String,
    /// R9: 0 is the newest slice.
    pub position: i32,
    /// 1, and one more each time the slice was rerouted.
    pub generation: i32,
    /// The leg that this one replaces.
    pub predecessor_id: Option<Uuid>,
    /// Who carries it.
    pub rail: Rail,
    /// The payee, on the bank rail.
    pub bank_account_id: Option<Uuid>,
    /// The end of the payee's number: all of it that events and people see.
    pub payee_last_four: Option<String>,
    /// How much.
    pub amount: Money,
    /// The idempotency key at the gateway: one per generation, for ever.
    pub payout_no: String,
    /// When the number was minted; UnionPay takes it as part of the identity.
    pub minted_at: DateTime<Utc>,
    /// Where it stands.
    pub state: LegState,
    /// Of its last transition.
    pub sequence: i32,
    /// Not before this moment.
    pub dispatch_at: Option<DateTime<Utc>>,
    /// The day on which the bank is asked to pay; the same in every send.
    pub execute_on: Option<NaiveDate>,
    /// When its payout queue was last told.
    pub nudged_at: Option<DateTime<Utc>>,
    /// R7: the money has arrived by then.
    pub deadline_at: Option<DateTime<Utc>>,
    /// The deadline was computed without the official calendar of its year.
    pub deadline_provisional: bool,
    /// Until then the worker that dispatches it is not doubted.
    pub lease_until: Option<DateTime<Utc>>,
    /// Calls that asked for the payment.
    pub attempts: i32,
    /// Calls that asked what became of it.
    pub queries: i32,
    /// Queries since its last send, which the channel's schedule counts.
    pub asked: i32,
    /// When it is looked at next.
    pub check_at: Option<DateTime<Utc>>,
    /// When it last became unknown.
    pub doubted_at: Option<DateTime<Utc>>,
    /// The gateway's own number.
    pub reference: Option<String>,
    /// The gateway's last code.
    pub code: Option<String>,
    /// The gateway's last words.
    pub detail: Option<String>,
    /// When the money was confirmed gone.
    pub paid_at: Option<DateTime<Utc>>,
}

pub(crate) fn leg(row: &PgRow) -> Result<Leg, Error> {
    Ok(Leg {
        id: row.try_get("id")?,
        withdrawal_id: row.try_get("withdrawal_id")?,
        account_id: row.try_get("account_id")?,
        top_up_id: row.try_get("top_up_id")?,
        top_up_upstream_id: row.try_get("top_up_upstream_id")?,
        position: row.try_get("position")?,
        generation: row.try_get("generation")?,
        predecessor_id: row.try_get("predecessor_id")?,
        rail: word(row, "rail")?,
        bank_account_id: row.try_get("bank_account_id")?,
        payee_last_four: row.try_get("payee_last_four")?,
        amount: money(row, "amount")?,
        payout_no: row.try_get("payout_no")?,
        minted_at: row.try_get("minted_at")?,
        state: word(row, "state")?,
        sequence: row.try_get("sequence")?,
        dispatch_at: row.try_get("dispatch_at")?,
        execute_on: row.try_get("execute_on")?,
        nudged_at: row.try_get("nudged_at")?,
        deadline_at: row.try_get("deadline_at")?,
        deadline_provisional: row.try_get("deadline_provisional")?,
        lease_until: row.try_get("lease_until")?,
        attempts: row.try_get("attempts")?,
        queries: row.try_get("queries")?,
        asked: row.try_get("asked")?,
        check_at: row.try_get("check_at")?,
        doubted_at: row.try_get("doubted_at")?,
        reference: row.try_get("reference")?,
        code: row.try_get("code")?,
        detail: row.try_get("detail")?,
        paid_at: row.try_get("paid_at")?,
    })
}

/// Writes new legs.
///
/// # Errors
/// [`Error::Refused`] when a payout number exists already.
pub async fn insert(tx: &mut Tx, legs: &[Leg], at: DateTime<Utc>) -> Result<(), Error> {
    if legs.is_empty() {
        return Ok(());
    }
    sqlx::query(include_str!("../sql/leg_insert.sql"))
        .bind(legs.iter().map(|it| it.id).collect::<Vec<_>>())
        .bind(legs.iter().map(|it| it.withdrawal_id).collect::<Vec<_>>())
        .bind(legs.iter().map(|it| it.account_id.as_str()).collect::<Vec<_>>())
        .bind(legs.iter().map(|it| it.top_up_id).collect::<Vec<_>>())
        .bind(legs.iter().map(|it| it.position).collect::<Vec<_>>())
        .bind(legs.iter().map(|it| it.generation).collect::<Vec<_>>())
        .bind(legs.iter().map(|it| it.predecessor_id).collect::<Vec<_>>())
        .bind(legs.iter().map(|it| it.rail.into()).collect::<Vec<&'static str>>())
        .bind(legs.iter().map(|it| it.bank_account_id).collect::<Vec<_>>())
        .bind(legs.iter().map(|it| it.amount.minor()).collect::<Vec<_>>())
        .bind(legs.iter().map(|it| it.payout_no.as_str()).collect::<Vec<_>>())
        .bind(legs.iter().map(|it| it.minted_at).collect::<Vec<_>>())
        .bind(legs.iter().map(|it| it.state.into()).collect::<Vec<&'static str>>())
        .bind(legs.iter().map(|it| it.sequence).collect::<Vec<_>>())
        .bind(legs.iter().map(|it| it.top_up_upstream_id.as_str()).collect::<Vec<_>>())
        .bind(legs.iter().map(|it| it.payee_last_four.as_deref()).collect::<Vec<_>>())
        .bind(at)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Writes changed legs whose state moved exactly one or more steps since they
/// were locked ([`lock_of_withdrawals`]).
///
/// # Errors
/// [`Error::Stale`] when a row is missing.
pub async fn update(tx: &mut Tx, legs: &[Leg], at: DateTime<Utc>) -> Result<(), Error> {
    if legs.is_empty() {
        return Ok(());
    }
    let updated = sqlx::query(include_str!("../sql/leg_update.sql"))
        .bind(legs.iter().map(|it| it.id).collect::<Vec<_>>())
        .bind(legs.iter().map(|it| it.state.into()).collect::<Vec<&'static str>>())
        .bind(legs.iter().map(|it| it.sequence).collect::<Vec<_>>())
        .bind(legs.iter().map(|it| it.dispatch_at).collect::<Vec<_>>())
        .bind(legs.iter().map(|it| it.nudged_at).collect::<Vec<_>>())
        .bind(legs.iter().map(|it| it.deadline_at).collect::<Vec<_>>())
        .bind(legs.iter().map(|it| it.deadline_provisional).collect::<Vec<_>>())
        .bind(legs.iter().map(|it| it.lease_until).collect::<Vec<_>>())
        .bind(legs.iter().map(|it| it.attempts).collect::<Vec<_>>())
        .bind(legs.iter().map(|it| it.queries).collect::<Vec<_>>())
        .bind(legs.iter().map(|it| it.check_at).collect::<Vec<_>>())
        .bind(legs.iter().map(|it| it.doubted_at).collect::<Vec<_>>())
        .bind(legs.iter().map(|it| it.reference.as_deref()).collect::<Vec<_>>())
        .bind(legs.iter().map(|it| it.code.as_deref()).collect::<Vec<_>>())
        .bind(legs.iter().map(|it| it.detail.as_deref()).collect::<Vec<_>>())
        .bind(legs.iter().map(|it| it.paid_at).collect::<Vec<_>>())
        .bind(at)
        .bind(legs.iter().map(|it| it.asked).collect::<Vec<_>>())
        .bind(legs.iter().map(|it| it.execute_on).collect::<Vec<_>>())
        .bind(legs.iter().map(|it| it.bank_account_id).collect::<Vec<_>>())
        .bind(legs.iter().map(|it| it.payee_last_four.as_deref()).collect::<Vec<_>>())
        .execute(&mut **tx)
        .await?;
    if updated.rows_affected() == legs.len() as u64 { Ok(()) } else { Err(Error::Stale { what: "a leg" }) }
}

/// The withdrawals to which legs belong.
///
/// # Errors
/// When the database is away.
pub async fn withdrawals_of(connection: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<Uuid>, Error> {
    Ok(sqlx::query_scalar(include_str!("../sql/leg_withdrawals.sql")).bind(ids).fetch_all(connection).await?)
}

/// Every leg of the withdrawals, locked in the order of their ids.
///
/// # Errors
/// When the database is away.
pub async fn lock_of_withdrawals(tx: &mut Tx, withdrawals: &[Uuid]) -> Result<Vec<Leg>, Error> {
    let rows = sqlx::query(include_str!("../sql/leg_lock_of_withdrawals.sql"))
        .bind(withdrawals)
        .fetch_all(&mut **tx)
        .await?;
    rows.iter().map(leg).collect()
}

/// Every leg of a withdrawal, as it is now.
///
/// # Errors
/// When the database is away.
pub async fn of_withdrawal(connection: &mut PgConnection, withdrawal: Uuid) -> Result<Vec<Leg>, Error> {
    let rows = sqlx::query(include_str!("../sql/leg_of_withdrawal.sql"))
        .bind(withdrawal)
        .fetch_all(connection)
        .await?;
    rows.iter().map(leg).collect()
}

/// One leg as it is now.
///
/// # Errors
/// When the database is away.
pub async fn find(connection: &mut PgConnection, id: Uuid) -> Result<Option<Leg>, Error> {
    let row = sqlx::query(include_str!("../sql/leg_find.sql")).bind(id).fetch_optional(connection).await?;
    row.as_ref().map(leg).transpose()
}

/// Legs that are due and whose payout queue was not told since `told_before`:
/// their numbers and rails, oldest first. Not locked.
///
/// # Errors
/// When the database is away.
pub async fn due(
    connection: &mut PgConnection,
    at: DateTime<Utc>,
    told_before: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<(Uuid, Rail)>, Error> {
    let rows = sqlx::query(include_str!("../sql/leg_due.sql"))
        .bind(at)
        .bind(told_before)
        .bind(limit)
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| Ok((row.try_get("id")?, word(row, "rail")?))).collect()
}

/// Legs on their way that are to be looked at, longest waiting first. Not
/// locked: whoever takes them up locks their cases and looks again.
///
/// # Errors
/// When the database is away.
pub async fn to_check(
    connection: &mut PgConnection,
    at: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<Uuid>, Error> {
    Ok(sqlx::query_scalar(include_str!("../sql/leg_to_check.sql"))
        .bind(at)
        .bind(limit)
        .fetch_all(connection)
        .await?)
}

/// Marks that the payout queues of these legs were told, and answers with those
/// that still wait to be dispatched.
///
/// # Errors
/// When the database is away.
pub async fn nudged(tx: &mut Tx, ids: &[Uuid], at: DateTime<Utc>) -> Result<Vec<Uuid>, Error> {
    Ok(sqlx::query_scalar(include_str!("../sql/leg_nudged.sql"))
        .bind(ids)
        .bind(at)
        .fetch_all(&mut **tx)
        .await?)
}

/// A payment that a source refund sends back.
#[derive(Debug, Clone)]
pub struct PaidIn {
    /// The leg of the refund.
    pub leg_id: Uuid,
    /// What R6c and R18 are tested on.
    pub payment: Payment,
    /// When its channel was last asked for a refund of it.
    pub asked_at: Option<DateTime<Utc>>,
}

/// The payments behind source refunds. Bank legs are left out. The caller holds the locks of the accounts.
///
/// # Errors
/// When the database is away.
pub async fn payments(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<PaidIn>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = sqlx::query(include_str!("../sql/leg_payments.sql")).bind(ids).fetch_all(&mut **tx).await?;
    rows.iter()
        .map(|row| {
            let payment = Payment {
                channel: word(row, "channel")?,
                contract_entity: row.try_get("contract_entity")?,
                arrived_at: row.try_get("arrived_at")?,
                channel_paid_at: row.try_get("channel_paid_at")?,
                refunds: u32::try_from(row.try_get::<i64, _>("refunds")?).unwrap_or(u32::MAX),
            };
            Ok(PaidIn { leg_id: row.try_get("id")?, payment, asked_at: row.try_get("asked_at")? })
        })
        .collect()
}

/// Has settle ask about a leg at its next look. False when it is not under way,
/// or not a leg of this withdrawal.
///
/// # Errors
/// When the database is away.
pub async fn ask_now(tx: &mut Tx, withdrawal: Uuid, leg: Uuid, at: DateTime<Utc>) -> Result<bool, Error> {
    let done = sqlx::query(include_str!("../sql/leg_ask_now.sql"))
        .bind(withdrawal)
        .bind(leg)
        .bind(at)
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected() == 1)
}
