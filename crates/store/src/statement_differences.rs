//! What does not agree between a statement and our books. Each row is an alert until it is resolved.

use chrono::{DateTime, NaiveDate, Utc};
use domain::{Money, Rail};
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use crate::word::word;
use crate::{Error, Tx};

/// What does not agree.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    strum::Display,
    strum::EnumIter,
    strum::EnumString,
    strum::IntoStaticStr,
)]
#[strum(serialize_all = "snake_case")]
pub enum Kind {
    /// We have it paid, and the statement of its day does not name it, or calls it refused.
    PaidNotInStatement,
    /// The statement has it paid, and our books do not.
    InStatementNotPaid,
    /// Both have it, in another amount.
    AmountDiffers,
    /// The statement has the same payment more than once.
    ListedTwice,
    /// The money came back by the statement; the books follow by themselves.
    Returned,
    /// There is no file for a day on which money left.
    FileMissing,
    /// The file says the very same as that of another day.
    FileRepeated,
    /// The file says something else than the one that was taken for the day.
    FileAltered,
    /// None of the file's lines is of its day.
    FileOfAnotherDay,
    /// The file cannot be read whole, or does not add up.
    FileUnreadable,
    /// Its opening balance is not the closing one of the day before.
    BalanceBroken,
}

/// A difference that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What does not agree.
    pub kind: Kind,
    /// The payout number, or what else tells it apart within its day.
    pub subject: String,
    /// The leg, where it is one of ours.
    pub leg_id: Option<Uuid>,
    /// The amount in our books.
    pub ours: Option<Money>,
    /// The amount in the statement.
    pub theirs: Option<Money>,
    /// For people.
    pub detail: String,
}

/// A difference that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Its number.
    pub id: Uuid,
    /// Whose statement.
    pub rail: Rail,
    /// Of which day.
    pub day: NaiveDate,
    /// What was found.
    pub found: Found,
    /// When.
    pub found_at: DateTime<Utc>,
    /// Who resolved it when and how: a person, or `reconciliation` itself.
    pub resolved: Option<(String, DateTime<Utc>, String)>,
}

/// Keeps differences of a day. One that had resolved itself is open again; one
/// that a person resolved stays so.
///
/// # Errors
/// When the database is away.
pub async fn put(
    tx: &mut Tx,
    (rail, day): (Rail, NaiveDate),
    found: &[Found],
    at: DateTime<Utc>,
) -> Result<(), Error> {
    if found.is_empty() {
        return Ok(());
    }
    let fen = |amount: Option<Money>| amount.map(Money::minor);
    sqlx::query(include_str!("../sql/statement_difference_put.sql"))
        .bind::<&'static str>(rail.into())
        .bind(day)
        .bind(found.iter().map(|_| Uuid::now_v7()).collect::<Vec<_>>())
        .bind(found.iter().map(|it| it.kind.into()).collect::<Vec<&'static str>>())
        .bind(found.iter().map(|it| it.subject.as_str()).collect::<Vec<_>>())
        .bind(found.iter().map(|it| it.leg_id).collect::<Vec<_>>())
        .bind(found.iter().map(|it| fen(it.ours)).collect::<Vec<_>>())
        .bind(found.iter().map(|it| fen(it.theirs)).collect::<Vec<_>>())
        .bind(found.iter().map(|it| it.detail.as_str()).collect::<Vec<_>>())
        .bind(at)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Resolves the open differences of a day that are not among those still found.
///
/// # Errors
/// When the database is away.
pub async fn resolve_gone(
    tx: &mut Tx,
    (rail, day): (Rail, NaiveDate),
    still: &[Found],
    at: DateTime<Utc>,
) -> Result<(), Error> {
    sqlx::query(include_str!("../sql/statement_difference_gone.sql"))
        .bind::<&'static str>(rail.into())
        .bind(day)
        .bind(still.iter().map(|it| it.kind.into()).collect::<Vec<&'static str>>())
        .bind(still.iter().map(|it| it.subject.as_str()).collect::<Vec<_>>())
        .bind(at)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// A person resolves a difference. Answers whose day it is; nothing when it is
/// resolved already, or there is none.
///
/// # Errors
/// When the database is away.
pub async fn resolve(
    tx: &mut Tx,
    id: Uuid,
    (by, how): (&str, &str),
    at: DateTime<Utc>,
) -> Result<Option<(Rail, NaiveDate)>, Error> {
    let row = sqlx::query(include_str!("../sql/statement_difference_resolve.sql"))
        .bind(id)
        .bind(by)
        .bind(how)
        .bind(at)
        .fetch_optional(&mut **tx)
        .await?;
    row.map(|row| Ok((word(&row, "rail")?, row.try_get("day")?))).transpose()
}

/// Whether a person has resolved such a difference: then what it says is accepted.
///
/// # Errors
/// When the database is away.
pub async fn accepted(
    tx: &mut Tx,
    (rail, day): (Rail, NaiveDate),
    kind: Kind,
    subject: &str,
) -> Result<bool, Error> {
    Ok(sqlx::query_scalar(include_str!("../sql/statement_difference_accepted.sql"))
        .bind::<&'static str>(rail.into())
        .bind(day)
        .bind::<&'static str>(kind.into())
        .bind(subject)
        .fetch_one(&mut **tx)
        .await?)
}

/// Which differences are listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Which {
    /// Those that nobody has resolved.
    #[default]
    Open,
    /// All of them.
    All,
}

/// Differences, oldest day first; of one day where it is given.
///
/// # Errors
/// When the database is away.
pub async fn list(
    connection: &mut PgConnection,
    of: Option<(Rail, NaiveDate)>,
    which: Which,
    limit: i64,
) -> Result<Vec<Difference>, Error> {
    let rows = sqlx::query(include_str!("../sql/statement_difference_list.sql"))
        .bind(of.map(|it| <&'static str>::from(it.0)))
        .bind(of.map(|it| it.1))
        .bind(which == Which::All)
        .bind(limit)
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| {
            let amount = |column: &str| -> Result<Option<Money>, Error> {
                Ok(row.try_get::<Option<i64>, _>(column)?.map(Money::from_minor))
            };
            let by: Option<String> = row.try_get("resolved_by")?;
            let at: Option<DateTime<Utc>> = row.try_get("resolved_at")?;
            let how: Option<String> = row.try_get("resolution")?;
            Ok(Difference {
                id: row.try_get("id")?,
                rail: word(row, "rail")?,
                day: row.try_get("day")?,
                found: Found {
                    kind: word(row, "kind")?,
                    subject: row.try_get("subject")?,
                    leg_id: row.try_get("leg_id")?,
                    ours: amount("ours")?,
                    theirs: amount("theirs")?,
                    detail: row.try_get("detail")?,
                },
                found_at: row.try_get("found_at")?,
                resolved: by.zip(at).zip(how).map(|((by, at), how)| (by, at, how)),
            })
        })
        .collect()
}
