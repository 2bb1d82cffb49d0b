//! Settlement days: which statements were taken, and what each says as a whole.

use chrono::{DateTime, NaiveDate, Utc};
use domain::{Money, Rail};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use crate::word::{money, word};
use crate::{Error, Tx};

/// Where a settlement day stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::Display, strum::EnumString, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum DayState {
    /// Its statement is not there yet, or a line of it waits for a call to end.
    Open,
    /// Its file is missing, or cannot be the right one.
    Refused,
    /// It was compared, and differences are open.
    Differs,
    /// It agrees, or every difference is resolved.
    Closed,
}

/// What a statement says as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// SHA-256 of what it says, however it is packed.
    pub digest: Vec<u8>,
    /// Lines with numbers.
    pub lines: i32,
    /// What left by it.
    pub total: Money,
    /// Opening and closing balance, where it has them.
    pub balances: Option<(Money, Money)>,
    /// Where it came from.
    pub source: String,
}

/// A settlement day of a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Day {
    /// Its number.
    pub id: Uuid,
    /// Whose.
    pub rail: Rail,
    /// Which.
    pub day: NaiveDate,
    /// Where it stands.
    pub state: DayState,
    /// The statement that was taken.
    pub taken: Option<Taken>,
    /// Why it is not closed, for people.
    pub detail: Option<String>,
    /// When it was last looked at.
    pub looked_at: DateTime<Utc>,
    /// When it was closed.
    pub closed_at: Option<DateTime<Utc>>,
}

/// A leg that no statement has named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingLeg {
    /// The leg.
    pub leg_id: Uuid,
    /// Its payout number.
    pub payout_no: String,
    /// Its amount.
    pub amount: Money,
}

fn day(row: &PgRow) -> Result<Day, Error> {
    let digest: Option<Vec<u8>> = row.try_get("digest")?;
    let balances: (Option<i64>, Option<i64>) = (row.try_get("opening")?, row.try_get("closing")?);
    let taken = match digest {
        None => None,
        Some(digest) => Some(Taken {
            digest,
            lines: row.try_get("lines")?,
            total: money(row, "total")?,
            balances: balances
                .0
                .zip(balances.1)
                .map(|(opening, closing)| (Money::from_minor(opening), Money::from_minor(closing))),
            source: row.try_get::<Option<String>, _>("source")?.unwrap_or_default(),
        }),
    };
    Ok(Day {
        id: row.try_get("id")?,
        rail: word(row, "rail")?,
        day: row.try_get("day")?,
        state: word(row, "state")?,
        taken,
        detail: row.try_get("detail")?,
        looked_at: row.try_get("looked_at")?,
        closed_at: row.try_get("closed_at")?,
    })
}

/// The row of a settlement day, made where there was none, and locked.
///
/// # Errors
/// When the database is away.
pub async fn lock(tx: &mut Tx, rail: Rail, on: NaiveDate, at: DateTime<Utc>) -> Result<Day, Error> {
    let name: &'static str = rail.into();
    sqlx::query(include_str!("../sql/statement_day_open.sql"))
        .bind(Uuid::now_v7())
        .bind(name)
        .bind(on)
        .bind(at)
        .execute(&mut **tx)
        .await?;
    let row = sqlx::query(include_str!("../sql/statement_day_find.sql"))
        .bind(name)
        .bind(on)
        .fetch_one(&mut **tx)
        .await?;
    day(&row)
}

/// Writes what became of a day: its state, what was taken, and why it is not
/// closed. What is not given of the file stays as it is known.
///
/// # Errors
/// When the database is away.
pub async fn write(
    tx: &mut Tx,
    id: Uuid,
    state: DayState,
    (taken, detail): (Option<&Taken>, Option<&str>),
    at: DateTime<Utc>,
) -> Result<(), Error> {
    let balances = taken.and_then(|it| it.balances);
    sqlx::query(include_str!("../sql/statement_day_write.sql"))
        .bind(id)
        .bind::<&'static str>(state.into())
        .bind(taken.map(|it| it.digest.as_slice()))
        .bind(taken.map(|it| it.lines))
        .bind(taken.map(|it| it.total.minor()))
        .bind(balances.map(|it| it.0.minor()))
        .bind(balances.map(|it| it.1.minor()))
        .bind(taken.map(|it| it.source.as_str()))
        .bind(detail)
        .bind(at)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Another day of the rail whose file said the very same.
///
/// # Errors
/// When the database is away.
pub async fn same(tx: &mut Tx, rail: Rail, on: NaiveDate, digest: &[u8]) -> Result<Option<NaiveDate>, Error> {
    Ok(sqlx::query_scalar(include_str!("../sql/statement_day_same.sql"))
        .bind::<&'static str>(rail.into())
        .bind(on)
        .bind(digest)
        .fetch_optional(&mut **tx)
        .await?)
}

/// The closing balance of the last day before, where it is known.
///
/// # Errors
/// When the database is away.
pub async fn closing_before(tx: &mut Tx, rail: Rail, on: NaiveDate) -> Result<Option<Money>, Error> {
    let closing: Option<i64> = sqlx::query_scalar(include_str!("../sql/statement_day_closing.sql"))
        .bind::<&'static str>(rail.into())
        .bind(on)
        .fetch_optional(&mut **tx)
        .await?;
    Ok(closing.map(Money::from_minor))
}

/// The newest settlement days, each with how many differences are open.
///
/// # Errors
/// When the database is away.
pub async fn newest(connection: &mut PgConnection, limit: i64) -> Result<Vec<(Day, i64)>, Error> {
    let rows = sqlx::query(include_str!("../sql/statement_day_newest.sql"))
        .bind(limit)
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| Ok((day(row)?, row.try_get("differences")?))).collect()
}

/// The days of a rail that are closed.
///
/// # Errors
/// When the database is away.
pub async fn closed(
    connection: &mut PgConnection,
    rail: Rail,
    (first, last): (NaiveDate, NaiveDate),
) -> Result<Vec<NaiveDate>, Error> {
    Ok(sqlx::query_scalar(include_str!("../sql/statement_day_done.sql"))
        .bind::<&'static str>(rail.into())
        .bind(first)
        .bind(last)
        .fetch_all(connection)
        .await?)
}

/// When the first leg of a rail was paid: no day before has a statement of ours.
///
/// # Errors
/// When the database is away.
pub async fn first_paid(connection: &mut PgConnection, rail: Rail) -> Result<Option<DateTime<Utc>>, Error> {
    Ok(sqlx::query_scalar(include_str!("../sql/statement_first_paid.sql"))
        .bind::<&'static str>(rail.into())
        .fetch_one(connection)
        .await?)
}

/// Legs that were paid within a time and that neither these numbers nor an
/// earlier statement name. Not locked.
///
/// # Errors
/// When the database is away.
pub async fn missing(
    tx: &mut Tx,
    rail: Rail,
    (from, until): (DateTime<Utc>, DateTime<Utc>),
    named: &[&str],
) -> Result<Vec<MissingLeg>, Error> {
    let rows = sqlx::query(include_str!("../sql/statement_leg_missing.sql"))
        .bind::<&'static str>(rail.into())
        .bind(from)
        .bind(until)
        .bind(named)
        .fetch_all(&mut **tx)
        .await?;
    rows.iter()
        .map(|row| {
            let (leg_id, payout_no) = (row.try_get("id")?, row.try_get("payout_no")?);
            Ok(MissingLeg { leg_id, payout_no, amount: money(row, "amount")? })
        })
        .collect()
}
