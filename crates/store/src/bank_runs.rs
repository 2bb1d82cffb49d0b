//! Bank runs: one row per cut-off, its files with their exact bytes, and who is in them.

use chrono::{DateTime, NaiveDate, Utc};
use domain::{CutOff, LegState, Money};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use crate::word::{money, word};
use crate::{Error, Tx};

/// The run of one cut-off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Its number.
    pub id: Uuid,
    /// Which cut-off.
    pub cut_off: CutOff,
    /// When it began.
    pub opened_at: DateTime<Utc>,
    /// Since when no leg is claimed into it any more.
    pub closed_at: Option<DateTime<Utc>>,
    /// Why it waits, or waited, for people.
    pub waits_because: Option<String>,
    /// Who let it go all the same, and why.
    pub released: Option<(String, String)>,
}

/// A run with what its files add up to; files that are not to be sent are left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunTotals {
    /// The run.
    pub run: Run,
    /// How many files it has, the void ones too.
    pub files: i64,
    /// Transfers in them.
    pub transfers: i64,
    /// Their sum.
    pub total: Money,
}

/// What is known of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::Display, strum::EnumString, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum FileState {
    /// Its bytes are kept, and it may have been sent.
    Written,
    /// It surely never left.
    Unsent,
    /// The bank told what became of it.
    Answered,
    /// It is not to be sent any more; its legs go with another.
    Void,
}

/// A file of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its number here.
    pub id: Uuid,
    /// The run that it belongs to.
    pub run_id: Uuid,
    /// 1, 2, 3, … within the run.
    pub number: i32,
    /// `MsgId`.
    pub msg_id: String,
    /// The day on which the bank is asked to execute it.
    pub execute_on: NaiveDate,
    /// How many transfers it holds.
    pub transfers: i32,
    /// Their sum.
    pub total: Money,
    /// The exact bytes, sealed for the row `bank_file:<id>`.
    pub message: Vec<u8>,
    /// SHA-256 of the exact bytes.
    pub digest: Vec<u8>,
    /// What is known of it.
    pub state: FileState,
    /// How often it was to be sent.
    pub sends: i32,
    /// When it was made.
    pub written_at: DateTime<Utc>,
}

/// A leg of a file, in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// The leg.
    pub leg_id: Uuid,
    /// Whose withdrawal it is.
    pub withdrawal_id: Uuid,
    /// Its payout number.
    pub payout_no: String,
    /// How much.
    pub amount: Money,
    /// Where it stands.
    pub state: LegState,
    /// The bank's last code.
    pub code: Option<String>,
}

/// A leg that is due, and the last file that had it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueLeg {
    /// The leg.
    pub id: Uuid,
    /// How much.
    pub amount: Money,
    /// The bank's last code.
    pub code: Option<String>,
    /// The last file that had it.
    pub last: Option<LastFile>,
}

/// The last file that had a leg.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastFile {
    /// [`FileState::Answered`] or [`FileState::Void`].
    pub state: FileState,
    /// The day on which the bank was asked to execute it.
    pub execute_on: NaiveDate,
    /// The cut-off of its run.
    pub cut_off: CutOff,
}

fn cut_off(row: &PgRow) -> Result<CutOff, Error> {
    Ok(CutOff { day: row.try_get("bank_day")?, time: row.try_get("cut_off")? })
}

fn run(row: &PgRow) -> Result<Run, Error> {
    let released: (Option<String>, Option<String>) =
        (row.try_get("released_by")?, row.try_get("release_reason")?);
    Ok(Run {
        id: row.try_get("id")?,
        cut_off: cut_off(row)?,
        opened_at: row.try_get("opened_at")?,
        closed_at: row.try_get("closed_at")?,
        waits_because: row.try_get("waits_because")?,
        released: released.0.zip(released.1),
    })
}

pub(crate) fn file(row: &PgRow) -> Result<File, Error> {
    Ok(File {
        id: row.try_get("id")?,
        run_id: row.try_get("run_id")?,
        number: row.try_get("number")?,
        msg_id: row.try_get("msg_id")?,
        execute_on: row.try_get("execute_on")?,
        transfers: row.try_get("transfers")?,
        total: money(row, "total")?,
        message: row.try_get("message")?,
        digest: row.try_get("digest")?,
        state: word(row, "state")?,
        sends: row.try_get("sends")?,
        written_at: row.try_get("written_at")?,
    })
}

/// Waits until no other worker makes up a run, until the transaction ends. Comes
/// before every other lock.
///
/// # Errors
/// When the database is away.
pub async fn alone(tx: &mut Tx) -> Result<(), Error> {
    sqlx::query(include_str!("../sql/bank_run_alone.sql")).execute(&mut **tx).await?;
    Ok(())
}

/// The run of a cut-off, opened where it was not yet.
///
/// # Errors
/// When the database is away.
pub async fn open(tx: &mut Tx, cut_off: CutOff, at: DateTime<Utc>) -> Result<Run, Error> {
    sqlx::query(include_str!("../sql/bank_run_open.sql"))
        .bind(Uuid::now_v7())
        .bind(cut_off.day)
        .bind(cut_off.time)
        .bind(at)
        .execute(&mut **tx)
        .await?;
    let row = sqlx::query(include_str!("../sql/bank_run_find.sql"))
        .bind(cut_off.day)
        .bind(cut_off.time)
        .fetch_one(&mut **tx)
        .await?;
    run(&row)
}

/// Ends the claiming into the run of a cut-off, and into every run before it.
///
/// # Errors
/// When the database is away.
pub async fn close(tx: &mut Tx, cut_off: CutOff, at: DateTime<Utc>) -> Result<(), Error> {
    sqlx::query(include_str!("../sql/bank_run_close.sql"))
        .bind(cut_off.day)
        .bind(cut_off.time)
        .bind(at)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Lets a run wait for people. False when it waits already.
///
/// # Errors
/// When the database is away.
pub async fn wait(tx: &mut Tx, id: Uuid, because: &str, at: DateTime<Utc>) -> Result<bool, Error> {
    let done = sqlx::query(include_str!("../sql/bank_run_wait.sql"))
        .bind(id)
        .bind(because)
        .bind(at)
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// A person lets a run go that waits. False when it does not wait, or its time is over.
///
/// # Errors
/// When the database is away.
pub async fn release(
    tx: &mut Tx,
    id: Uuid,
    (by, reason): (&str, &str),
    at: DateTime<Utc>,
) -> Result<bool, Error> {
    let done = sqlx::query(include_str!("../sql/bank_run_release.sql"))
        .bind(id)
        .bind(by)
        .bind(reason)
        .bind(at)
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// The newest runs, or one of them.
///
/// # Errors
/// When the database is away.
pub async fn newest(
    connection: &mut PgConnection,
    only: Option<Uuid>,
    limit: i64,
) -> Result<Vec<RunTotals>, Error> {
    let rows = sqlx::query(include_str!("../sql/bank_run_newest.sql"))
        .bind(only)
        .bind(limit)
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| {
            Ok(RunTotals {
                run: run(row)?,
                files: row.try_get("files")?,
                transfers: row.try_get("transfers")?,
                total: money(row, "total")?,
            })
        })
        .collect()
}

/// What the files of a bank day add up to.
///
/// # Errors
/// When the database is away.
pub async fn day_total(connection: &mut PgConnection, day: NaiveDate) -> Result<Money, Error> {
    let total = sqlx::query_scalar(include_str!("../sql/bank_run_day_total.sql")).bind(day);
    Ok(Money::from_minor(total.fetch_one(connection).await?))
}
