//! Withdrawals: one row per request that could be read, rejected ones included.

use chrono::{DateTime, Utc};
use domain::{Currency, Money, Route, WithdrawalState};
use serde_json::Value;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use crate::word::{money, word};
use crate::{Error, Tx};

/// A withdrawal as it is stored. Every change of state raises `sequence` by one.
#[derive(Debug, Clone, PartialEq)]
pub struct Withdrawal {
    /// Its number.
    pub id: Uuid,
    /// CloudEvents source of the request.
    pub source: String,
    /// CloudEvents id of the request; unique with `source`, for ever.
    pub request_id: String,
    /// Whose money.
    pub account_id: String,
    /// SHA-256 of the canonical request data.
    pub digest: Vec<u8>,
    /// How much.
    pub amount: Money,
    /// In which currency.
    pub currency: Currency,
    /// To the source, or to a bank card.
    pub route: Route,
    /// Who asked; may not approve.
    pub requester: String,
    /// The bank card, on that route.
    pub bank_account_id: Option<Uuid>,
    /// Where it stands.
    pub state: WithdrawalState,
    /// Where it stood before it was put on hold.
    pub held_from: Option<WithdrawalState>,
    /// Why it is on hold: the reason code of a guard, or a person's words.
    pub held_because: Option<String>,
    /// Of its last transition.
    pub sequence: i32,
    /// RFC 9457 problems: every reason of a rejection.
    pub reasons: Value,
    /// R1: every term behind the decision.
    pub terms: Value,
    /// SHA-256 of the effect, which approvals bind to.
    pub effect_digest: Option<Vec<u8>>,
    /// W3C trace context of the request.
    pub traceparent: Option<String>,
    /// When the customer asked.
    pub requested_at: DateTime<Utc>,
    /// When the intake decided.
    pub received_at: DateTime<Utc>,
    /// When the clocks of R7 started.
    pub approved_at: Option<DateTime<Utc>>,
    /// R17: its latest leg's deadline.
    pub deadline_at: Option<DateTime<Utc>>,
    /// That deadline was computed without the official calendar of its year.
    pub deadline_provisional: bool,
    /// Waiting for details or a decision ends then.
    pub expires_at: Option<DateTime<Utc>>,
}

pub(crate) fn withdrawal(row: &PgRow) -> Result<Withdrawal, Error> {
    let held_from: Option<&str> = row.try_get("held_from")?;
    Ok(Withdrawal {
        id: row.try_get("id")?,
        source: row.try_get("source")?,
        request_id: row.try_get("request_id")?,
        account_id: row.try_get("account_id")?,
        digest: row.try_get("digest")?,
        amount: money(row, "amount")?,
        currency: word(row, "currency")?,
        route: word(row, "route")?,
        requester: row.try_get("requester")?,
        bank_account_id: row.try_get("bank_account_id")?,
        state: word(row, "state")?,
        held_from: held_from.map(|_| word(row, "held_from")).transpose()?,
        held_because: row.try_get("held_because")?,
        sequence: row.try_get("sequence")?,
        reasons: row.try_get("reasons")?,
        terms: row.try_get("terms")?,
        effect_digest: row.try_get("effect_digest")?,
        traceparent: row.try_get("traceparent")?,
        requested_at: row.try_get("requested_at")?,
        received_at: row.try_get("received_at")?,
        approved_at: row.try_get("approved_at")?,
        deadline_at: row.try_get("deadline_at")?,
        deadline_provisional: row.try_get("deadline_provisional")?,
        expires_at: row.try_get("expires_at")?,
    })
}

/// Writes new withdrawals, each with its request as it was asked for.
///
/// # Errors
/// [`Error::Stale`] when `(source, request_id)` exists already: another worker
/// decided the same request, and the caller decides again.
pub async fn insert(
    tx: &mut Tx,
    rows: &[Withdrawal],
    requests: &[Value],
    at: DateTime<Utc>,
) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let inserted = sqlx::query(include_str!("../sql/withdrawal_insert.sql"))
        .bind(rows.iter().map(|it| it.id).collect::<Vec<_>>())
        .bind(rows.iter().map(|it| it.source.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|it| it.request_id.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|it| it.account_id.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|it| it.digest.as_slice()).collect::<Vec<_>>())
        .bind(rows.iter().map(|it| it.amount.minor()).collect::<Vec<_>>())
        .bind(rows.iter().map(|it| it.currency.into()).collect::<Vec<&'static str>>())
        .bind(rows.iter().map(|it| it.route.into()).collect::<Vec<&'static str>>())
        .bind(rows.iter().map(|it| it.requester.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|it| it.bank_account_id).collect::<Vec<_>>())
        .bind(rows.iter().map(|it| it.state.into()).collect::<Vec<&'static str>>())
        .bind(rows.iter().map(|it| it.sequence).collect::<Vec<_>>())
        .bind(rows.iter().map(|it| &it.reasons).collect::<Vec<_>>())
        .bind(rows.iter().map(|it| &it.terms).collect::<Vec<_>>())
        .bind(rows.iter().map(|it| it.effect_digest.as_deref()).collect::<Vec<_>>())
        .bind(rows.iter().map(|it| it.traceparent.as_deref()).collect::<Vec<_>>())
        .bind(rows.iter().map(|it| it.requested_at).collect::<Vec<_>>())
        .bind(rows.iter().map(|it| it.expires_at).collect::<Vec<_>>())
        .bind(requests)
        .bind(at)
        .execute(&mut **tx)
        .await;
    match inserted {
        Err(sqlx::Error::Database(it)) if it.is_unique_violation() => {
            return Err(Error::Stale { what: "a request" });
        }
        done => done?,
    };
    Ok(())
}

/// Writes changed withdrawals. The caller holds their row locks ([`lock`]).
///
/// # Errors
/// [`Error::Stale`] when a row is missing or further than the caller knows.
pub async fn update(tx: &mut Tx, rows: &[Withdrawal], at: DateTime<Utc>) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let updated = sqlx::query(include_str!("../sql/withdrawal_update.sql"))
        .bind(rows.iter().map(|it| it.id).collect::<Vec<_>>())
        .bind(rows.iter().map(|it| it.state.into()).collect::<Vec<&'static str>>())
        .bind(rows.iter().map(|it| it.held_from.map(Into::into)).collect::<Vec<Option<&'static str>>>())
        .bind(rows.iter().map(|it| it.sequence).collect::<Vec<_>>())
        .bind(rows.iter().map(|it| it.bank_account_id).collect::<Vec<_>>())
        .bind(rows.iter().map(|it| &it.reasons).collect::<Vec<_>>())
        .bind(rows.iter().map(|it| it.effect_digest.as_deref()).collect::<Vec<_>>())
        .bind(rows.iter().map(|it| it.approved_at).collect::<Vec<_>>())
        .bind(rows.iter().map(|it| it.deadline_at).collect::<Vec<_>>())
        .bind(rows.iter().map(|it| it.deadline_provisional).collect::<Vec<_>>())
        .bind(rows.iter().map(|it| it.expires_at).collect::<Vec<_>>())
        .bind(at)
        .bind(rows.iter().map(|it| it.held_because.as_deref()).collect::<Vec<_>>())
        .execute(&mut **tx)
        .await?;
    if updated.rows_affected() == rows.len() as u64 {
        Ok(())
    } else {
        Err(Error::Stale { what: "a withdrawal" })
    }
}

/// Locks withdrawals in the order of their ids. Unknown ids are left out.
///
/// # Errors
/// When the database is away.
pub async fn lock(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<Withdrawal>, Error> {
    let rows = sqlx::query(include_str!("../sql/withdrawal_lock.sql")).bind(ids).fetch_all(&mut **tx).await?;
    rows.iter().map(withdrawal).collect()
}

/// One withdrawal as it is now.
///
/// # Errors
/// When the database is away.
pub async fn find(connection: &mut PgConnection, id: Uuid) -> Result<Option<Withdrawal>, Error> {
    let row =
        sqlx::query(include_str!("../sql/withdrawal_find.sql")).bind(id).fetch_optional(connection).await?;
    row.as_ref().map(withdrawal).transpose()
}

/// The newest withdrawals, of one state or of all.
///
/// # Errors
/// When the database is away.
pub async fn newest(
    connection: &mut PgConnection,
    state: Option<WithdrawalState>,
    limit: i64,
) -> Result<Vec<Withdrawal>, Error> {
    let rows = sqlx::query(include_str!("../sql/withdrawal_newest.sql"))
        .bind(state.map(<&'static str>::from))
        .bind(limit)
        .fetch_all(connection)
        .await?;
    rows.iter().map(withdrawal).collect()
}

/// Those of the given requests that are known, as they are
/// now.
///
/// # Errors
/// When the database is away.
pub async fn known_requests(
    connection: &mut PgConnection,
    sources: &[&str],
    request_ids: &[&str],
) -> Result<Vec<Withdrawal>, Error> {
    let rows = sqlx::query(include_str!("../sql/withdrawal_known_requests.sql"))
        .bind(sources)
        .bind(request_ids)
        .fetch_all(connection)
        .await?;
    rows.iter().map(withdrawal).collect()
}

/// The accounts of withdrawals, so that they can be locked first.
///
/// # Errors
/// When the database is away.
pub async fn accounts_of(connection: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<String>, Error> {
    Ok(sqlx::query_scalar(include_str!("../sql/withdrawal_accounts.sql"))
        .bind(ids)
        .fetch_all(connection)
        .await?)
}

/// Withdrawals that a guard of the given words put on hold, longest first. Not locked.
///
/// # Errors
/// When the database is away.
pub async fn held_because(
    connection: &mut PgConnection,
    words: &[&str],
    limit: i64,
) -> Result<Vec<Uuid>, Error> {
    Ok(sqlx::query_scalar(include_str!("../sql/withdrawal_held_because.sql"))
        .bind(words)
        .bind(limit)
        .fetch_all(connection)
        .await?)
}

/// Withdrawals whose time to wait is over. Not locked.
///
/// # Errors
/// When the database is away.
pub async fn expired(
    connection: &mut PgConnection,
    at: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<Uuid>, Error> {
    Ok(sqlx::query_scalar(include_str!("../sql/withdrawal_expired.sql"))
        .bind(at)
        .bind(limit)
        .fetch_all(connection)
        .await?)
}

/// Open withdrawals whose deadline, or that of an open leg, is provisional
/// (R7b): the next ones behind `after`, in the order of their ids. Not locked.
///
/// # Errors
/// When the database is away.
pub async fn provisional(
    connection: &mut PgConnection,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Uuid>, Error> {
    Ok(sqlx::query_scalar(include_str!("../sql/withdrawal_provisional.sql"))
        .bind(after)
        .bind(limit)
        .fetch_all(connection)
        .await?)
}

/// Withdrawals that have waited for an approval since before a moment: the next
/// ones behind `after`, in the order of their ids. Not locked.
///
/// # Errors
/// When the database is away.
pub async fn waiting(
    connection: &mut PgConnection,
    since_before: DateTime<Utc>,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Uuid>, Error> {
    Ok(sqlx::query_scalar(include_str!("../sql/withdrawal_waiting.sql"))
        .bind(since_before)
        .bind(after)
        .bind(limit)
        .fetch_all(connection)
        .await?)
}
