//! Transitions: the trace that every move of a withdrawal or a leg leaves.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::Error;

/// One move, as it is kept for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// The withdrawal that moved, or whose leg moved.
    pub withdrawal_id: Uuid,
    /// The leg that moved; nothing when it was the withdrawal itself.
    pub leg_id: Option<Uuid>,
    /// 1, 2, 3, … per withdrawal, and per leg.
    pub sequence: i32,
    /// The state before; `new` for a row that did not exist.
    pub from: &'static str,
    /// The state after.
    pub to: &'static str,
    /// What happened, in the words of the domain's machines.
    pub event: &'static str,
    /// The worker or the person behind it.
    pub actor: String,
    /// What a reader of the history should know.
    pub note: Option<String>,
}

/// Writes traces.
///
/// # Errors
/// [`Error::Refused`] when a sequence number exists already: two writers made
/// the same move, and this one must roll back.
pub async fn put(
    connection: &mut PgConnection,
    moves: &[Transition],
    at: DateTime<Utc>,
) -> Result<(), Error> {
    if moves.is_empty() {
        return Ok(());
    }
    let texts = |pick: fn(&Transition) -> &str| moves.iter().map(pick).collect::<Vec<_>>();
    sqlx::query(include_str!("../sql/transition_put.sql"))
        .bind(moves.iter().map(|it| it.withdrawal_id).collect::<Vec<_>>())
        .bind(moves.iter().map(|it| it.leg_id).collect::<Vec<_>>())
        .bind(moves.iter().map(|it| it.sequence).collect::<Vec<_>>())
        .bind(texts(|it| it.from))
        .bind(texts(|it| it.to))
        .bind(texts(|it| it.event))
        .bind(texts(|it| &it.actor))
        .bind(moves.iter().map(|it| it.note.as_deref()).collect::<Vec<_>>())
        .bind(at)
        .execute(connection)
        .await?;
    Ok(())
}

/// When the legs of these withdrawals were approved last: R7 counts from then.
///
/// # Errors
/// When the database is away.
pub async fn scheduled(
    connection: &mut PgConnection,
    withdrawals: &[Uuid],
) -> Result<Vec<(Uuid, DateTime<Utc>)>, Error> {
    Ok(sqlx::query_as(include_str!("../sql/transition_scheduled.sql"))
        .bind(withdrawals)
        .fetch_all(connection)
        .await?)
}
