//! What happened since somebody looked last, for counters and histograms: read on
//! from a number, never counted twice and never over from the start.
//!
//! Numbers are given before they are committed, so that a number alone says
//! nothing: a lower one may still come. A [`Mark`] remembers which transactions
//! were under way, and holds once all of them have ended.

use sqlx::{FromRow, PgConnection};

use crate::Error;

/// Up to where everything is numbered at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, FromRow)]
pub struct Mark {
    /// The last move.
    pub moves: i64,
    /// The last call that was answered.
    pub calls: i64,
    next_transaction: i64,
    oldest_running: i64,
}

impl Mark {
    /// Whether nothing below this mark can come any more, by what a later one saw.
    #[must_use]
    pub const fn holds(&self, later: &Self) -> bool {
        later.oldest_running >= self.next_transaction
    }
}

/// Moves that are alike.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub struct Moves {
    /// `withdrawal` or `leg`.
    pub entity: String,
    /// The state before; `new` for a row that did not exist.
    pub from_state: String,
    /// The state after.
    pub to_state: String,
    /// How long it was in the state before, in seconds; nothing for a row's first move.
    pub seconds: Option<f64>,
    /// How many there are.
    pub number: i64,
}

/// Calls that are alike.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub struct Calls {
    /// The rail.
    pub rail: String,
    /// `pay` or `query`.
    pub kind: String,
    /// The class of the answer, such as `succeeded` or `unknown`.
    pub outcome: String,
    /// From the commit of the attempt to that of its answer, in seconds.
    pub seconds: f64,
    /// How many there are.
    pub number: i64,
}

/// What the books count for ever.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, FromRow)]
pub struct Totals {
    /// Requests that came again with the same content.
    pub repeated: i64,
    /// Requests that came again with another content.
    pub conflicting: i64,
    /// Messages in the queue of requests that nobody could use.
    pub malformed: i64,
    /// Legs that missed their deadline (R7).
    pub missed: i64,
}

/// The mark of this moment.
///
/// # Errors
/// When the database is away.
pub async fn mark(connection: &mut PgConnection) -> Result<Mark, Error> {
    Ok(sqlx::query_as(include_str!("../sql/measure_mark.sql")).fetch_one(connection).await?)
}

/// Moves after the number `after` and up to `until`.
///
/// # Errors
/// When the database is away.
pub async fn moves(connection: &mut PgConnection, after: i64, until: i64) -> Result<Vec<Moves>, Error> {
    let query = sqlx::query_as(include_str!("../sql/measure_moves.sql"));
    Ok(query.bind(after).bind(until).fetch_all(connection).await?)
}

/// Answered calls after the position `after` and up to `until`.
///
/// # Errors
/// When the database is away.
pub async fn calls(connection: &mut PgConnection, after: i64, until: i64) -> Result<Vec<Calls>, Error> {
    let query = sqlx::query_as(include_str!("../sql/measure_calls.sql"));
    Ok(query.bind(after).bind(until).fetch_all(connection).await?)
}

/// What the books count for ever.
///
/// # Errors
/// When the database is away.
pub async fn totals(connection: &mut PgConnection) -> Result<Totals, Error> {
    Ok(sqlx::query_as(include_str!("../sql/measure_totals.sql")).fetch_one(connection).await?)
}
