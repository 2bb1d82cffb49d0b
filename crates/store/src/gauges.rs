//! What is under way, for those who watch: counts and ages, never single rows.
//!
//! `outflow status` reads these. Each statement costs as much as what has not
//! ended, and nothing for what has.

use chrono::{DateTime, Utc};
use sqlx::FromRow;

use crate::{Database, Error};

/// Withdrawals in one state.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct States {
    /// The state.
    pub state: String,
    /// How many there are.
    pub count: i64,
    /// Since when the longest is in it.
    pub oldest_at: DateTime<Utc>,
}

/// Legs of one rail in one state.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Legs {
    /// The rail.
    pub rail: String,
    /// The state.
    pub state: String,
    /// How many there are.
    pub count: i64,
    /// Since when the longest is in it.
    pub oldest_at: DateTime<Utc>,
    /// R7: the nearest deadline among them.
    pub next_deadline_at: Option<DateTime<Utc>>,
    /// How many are past theirs.
    pub overdue: i64,
}

/// What waits for the relay and for people.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Piles {
    /// Messages of the outbox that are not published yet.
    pub unpublished: i64,
    /// Since when the first of them waits.
    pub unpublished_since: Option<DateTime<Utc>>,
    /// Messages that no worker could use and nobody has dealt with.
    pub parked: i64,
    /// Since when the first of them waits.
    pub parked_since: Option<DateTime<Utc>>,
    /// Accounts whose facts have stopped them.
    pub stopped_accounts: i64,
    /// R7: bank runs over the limit of a day, which nobody has let go.
    pub waiting_bank_runs: i64,
    /// Since when the first of them waits.
    pub bank_runs_since: Option<DateTime<Utc>>,
    /// Disagreements of statements and books that nobody has resolved.
    pub open_differences: i64,
}

/// Everything that is under way at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gauges {
    /// Withdrawals that have not ended, by state.
    pub withdrawals: Vec<States>,
    /// Legs that have not ended, by rail and state.
    pub legs: Vec<Legs>,
    /// What waits besides.
    pub piles: Piles,
}

/// Reads everything that is under way, in one snapshot. `at` tells which legs are overdue.
///
/// # Errors
/// When the database is away.
pub async fn read(database: &Database, at: DateTime<Utc>) -> Result<Gauges, Error> {
    let mut tx = database.snapshot().await?;
    Ok(Gauges {
        withdrawals: sqlx::query_as(include_str!("../sql/gauge_withdrawals.sql")).fetch_all(&mut *tx).await?,
        legs: sqlx::query_as(include_str!("../sql/gauge_legs.sql")).bind(at).fetch_all(&mut *tx).await?,
        piles: sqlx::query_as(include_str!("../sql/gauge_piles.sql")).fetch_one(&mut *tx).await?,
    })
}
