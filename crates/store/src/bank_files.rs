//! The files of bank runs: kept before they are sent, and the legs that they pay.

use chrono::{DateTime, Utc};
use domain::{CutOff, Money};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use crate::bank_runs::{DueLeg, File, FileState, LastFile, Transfer, file};
use crate::word::{money, word};
use crate::{Error, Tx};

/// Keeps a new file of a run and claims its legs into it, in their order. The
/// caller is [alone](crate::bank_runs::alone).
///
/// # Errors
/// [`Error::Refused`] when its `MsgId` was used before.
pub async fn put(tx: &mut Tx, file: &File, legs: &[Uuid]) -> Result<(), Error> {
    sqlx::query(include_str!("../sql/bank_file_put.sql"))
        .bind(file.id)
        .bind(file.run_id)
        .bind(&file.msg_id)
        .bind(file.execute_on)
        .bind(file.transfers)
        .bind(file.total.minor())
        .bind(&file.message)
        .bind(&file.digest)
        .bind(file.written_at)
        .execute(&mut **tx)
        .await?;
    sqlx::query(include_str!("../sql/bank_file_transfers_put.sql"))
        .bind(file.id)
        .bind(legs)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The oldest file that may be sent again.
///
/// # Errors
/// When the database is away.
pub async fn repeatable(tx: &mut Tx, at: DateTime<Utc>) -> Result<Option<File>, Error> {
    let row = sqlx::query(include_str!("../sql/bank_file_repeatable.sql"))
        .bind(at)
        .fetch_optional(&mut **tx)
        .await?;
    row.as_ref().map(file).transpose()
}

/// The files of a run.
///
/// # Errors
/// When the database is away.
pub async fn of_run(connection: &mut PgConnection, run_id: Uuid) -> Result<Vec<File>, Error> {
    let rows =
        sqlx::query(include_str!("../sql/bank_file_of_run.sql")).bind(run_id).fetch_all(connection).await?;
    rows.iter().map(file).collect()
}

/// The legs of a file, in their order. Not locked.
///
/// # Errors
/// When the database is away.
pub async fn transfers(connection: &mut PgConnection, file_id: Uuid) -> Result<Vec<Transfer>, Error> {
    let rows =
        sqlx::query(include_str!("../sql/bank_file_legs.sql")).bind(file_id).fetch_all(connection).await?;
    rows.iter()
        .map(|row| {
            Ok(Transfer {
                leg_id: row.try_get("id")?,
                withdrawal_id: row.try_get("withdrawal_id")?,
                payout_no: row.try_get("payout_no")?,
                amount: money(row, "amount")?,
                state: word(row, "state")?,
                code: row.try_get("code")?,
            })
        })
        .collect()
}

/// Notes what is known of a file, and how many sends of it begin. What was
/// answered, or is void, stays so.
///
/// # Errors
/// When the database is away.
pub async fn note(
    tx: &mut Tx,
    id: Uuid,
    (state, sends): (FileState, i32),
    at: DateTime<Utc>,
) -> Result<(), Error> {
    sqlx::query(include_str!("../sql/bank_file_state.sql"))
        .bind(id)
        .bind::<&'static str>(state.into())
        .bind(sends)
        .bind(at)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Bank legs that are due and stand in no file that may still be sent. Not locked.
///
/// # Errors
/// When the database is away.
pub async fn due_legs(tx: &mut Tx, at: DateTime<Utc>, limit: i64) -> Result<Vec<DueLeg>, Error> {
    let rows = sqlx::query(include_str!("../sql/bank_leg_due.sql"))
        .bind(at)
        .bind(limit)
        .fetch_all(&mut **tx)
        .await?;
    rows.iter().map(due_leg).collect()
}

/// The legs of an answered file that the bank put off. Not locked.
///
/// # Errors
/// When the database is away.
pub async fn put_off(tx: &mut Tx, file_id: Uuid) -> Result<Vec<DueLeg>, Error> {
    let rows =
        sqlx::query(include_str!("../sql/bank_leg_put_off.sql")).bind(file_id).fetch_all(&mut **tx).await?;
    rows.iter().map(due_leg).collect()
}

fn due_leg(row: &PgRow) -> Result<DueLeg, Error> {
    let known: Option<&str> = row.try_get("file_state")?;
    let last = match known {
        None => None,
        Some(_) => Some(LastFile {
            state: word(row, "file_state")?,
            execute_on: row.try_get("execute_on")?,
            cut_off: CutOff { day: row.try_get("bank_day")?, time: row.try_get("cut_off")? },
        }),
    };
    Ok(DueLeg { id: row.try_get("id")?, amount: money(row, "amount")?, code: row.try_get("code")?, last })
}

/// What the legs of [`due_legs`] add up to, however many they are.
///
/// # Errors
/// When the database is away.
pub async fn due_total(tx: &mut Tx, at: DateTime<Utc>) -> Result<Money, Error> {
    let total = sqlx::query_scalar(include_str!("../sql/bank_leg_due_total.sql")).bind(at);
    Ok(Money::from_minor(total.fetch_one(&mut **tx).await?))
}
