//! Many things at a glance: what the API lists, and what the console counts.
//!
//! Nothing here decides or locks anything. What is counted is what is not final,
//! and partial indexes hold just that, so that years of finished withdrawals cost
//! nothing.

use chrono::{DateTime, NaiveDate, Utc};
use domain::{LegState, Money, Rail, WithdrawalState};
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use crate::Error;
use crate::legs::{self, Leg};
use crate::withdrawals::{self, Withdrawal};
use crate::word::{money, word};

/// Which withdrawals are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Those in one of these states; empty: in any.
    pub states: Vec<WithdrawalState>,
    /// Those of this account.
    pub account_id: Option<String>,
    /// Those that this person asked for.
    pub requester: Option<String>,
    /// Those whose number, request, account or payout number this is.
    pub text: Option<String>,
    /// Only those before this one: the last of the page before.
    pub before: Option<Uuid>,
    /// How many at most.
    pub limit: i64,
}

/// Withdrawals of one state that is not final.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateCount {
    /// The state.
    pub state: WithdrawalState,
    /// How many.
    pub number: i64,
    /// How much together, in minor units of CNY.
    pub amount: Money,
    /// When the oldest of them came.
    pub oldest: DateTime<Utc>,
}

/// Legs of one rail in one state that is not final.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegCount {
    /// The rail.
    pub rail: Rail,
    /// The state.
    pub state: LegState,
    /// How many.
    pub number: i64,
    /// How much together, in minor units of CNY.
    pub amount: Money,
    /// The first deadline among them.
    pub first_deadline: Option<DateTime<Utc>>,
    /// Since when the oldest of them stands there.
    pub oldest: DateTime<Utc>,
}

/// What is due on one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayCount {
    /// The day in Shanghai.
    pub day: NaiveDate,
    /// Whether the money leaves on that day; else it must have arrived by its end.
    pub leaves: bool,
    /// How many legs.
    pub number: i64,
    /// How much together, in minor units of CNY.
    pub amount: Money,
}

/// What calls to a rail brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallCount {
    /// The rail.
    pub rail: Rail,
    /// `pay` or `query`.
    pub kind: String,
    /// What they brought, in one word.
    pub outcome: String,
    /// The gateway's code.
    pub code: Option<String>,
    /// How many.
    pub number: i64,
    /// How long they took in the mean; nothing when none was answered.
    pub mean_ms: Option<i64>,
}

/// A page of withdrawals, the newest first.
///
/// # Errors
/// When the database is away.
pub async fn withdrawals(connection: &mut PgConnection, filter: &Filter) -> Result<Vec<Withdrawal>, Error> {
    let states: Vec<&str> = filter.states.iter().map(|it| (*it).into()).collect();
    let rows = sqlx::query(include_str!("../sql/withdrawal_listing.sql"))
        .bind((!states.is_empty()).then_some(states))
        .bind(&filter.account_id)
        .bind(&filter.requester)
        .bind(&filter.text)
        .bind(filter.before)
        .bind(filter.limit)
        .fetch_all(connection)
        .await?;
    rows.iter().map(withdrawals::withdrawal).collect()
}

/// Withdrawals that are not final, by state.
///
/// # Errors
/// When the database is away.
pub async fn states(connection: &mut PgConnection) -> Result<Vec<StateCount>, Error> {
    let rows = sqlx::query(include_str!("../sql/overview_states.sql")).fetch_all(connection).await?;
    rows.iter()
        .map(|row| {
            Ok(StateCount {
                state: word(row, "state")?,
                number: row.try_get("number")?,
                amount: money(row, "amount")?,
                oldest: row.try_get("oldest")?,
            })
        })
        .collect()
}

/// Legs that are not final, by rail and state.
///
/// # Errors
/// When the database is away.
pub async fn open_legs(connection: &mut PgConnection) -> Result<Vec<LegCount>, Error> {
    let rows = sqlx::query(include_str!("../sql/overview_legs.sql")).fetch_all(connection).await?;
    rows.iter()
        .map(|row| {
            Ok(LegCount {
                rail: word(row, "rail")?,
                state: word(row, "state")?,
                number: row.try_get("number")?,
                amount: money(row, "amount")?,
                first_deadline: row.try_get("first_deadline")?,
                oldest: row.try_get("oldest")?,
            })
        })
        .collect()
}

/// Legs that people should look at, the longest in doubt first.
///
/// # Errors
/// When the database is away.
pub async fn troubled(
    connection: &mut PgConnection,
    at: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<Leg>, Error> {
    let rows = sqlx::query(include_str!("../sql/overview_troubled.sql"))
        .bind(at)
        .bind(limit)
        .fetch_all(connection)
        .await?;
    rows.iter().map(legs::leg).collect()
}

/// What leaves and what must have arrived, by day in Shanghai.
///
/// # Errors
/// When the database is away.
pub async fn days(
    connection: &mut PgConnection,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<Vec<DayCount>, Error> {
    let rows = sqlx::query(include_str!("../sql/overview_days.sql"))
        .bind(from)
        .bind(until)
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| {
            Ok(DayCount {
                day: row.try_get("day")?,
                leaves: row.try_get::<&str, _>("kind")? == "leaves",
                number: row.try_get("number")?,
                amount: money(row, "amount")?,
            })
        })
        .collect()
}

/// What calls to each rail brought since a moment.
///
/// # Errors
/// When the database is away.
pub async fn calls(connection: &mut PgConnection, since: DateTime<Utc>) -> Result<Vec<CallCount>, Error> {
    let rows =
        sqlx::query(include_str!("../sql/overview_calls.sql")).bind(since).fetch_all(connection).await?;
    rows.iter()
        .map(|row| {
            Ok(CallCount {
                rail: word(row, "rail")?,
                kind: row.try_get("kind")?,
                outcome: row.try_get("outcome")?,
                code: row.try_get("code")?,
                number: row.try_get("number")?,
                mean_ms: row.try_get("mean_ms")?,
            })
        })
        .collect()
}

/// A text that changes whenever something did that a page may show.
///
/// # Errors
/// When the database is away.
pub async fn pulse(connection: &mut PgConnection) -> Result<String, Error> {
    Ok(sqlx::query_scalar(include_str!("../sql/overview_pulse.sql")).fetch_one(connection).await?)
}
