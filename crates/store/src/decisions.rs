//! People's decisions, each kept with what came of it.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use strum::{Display, EnumString, IntoStaticStr};
use uuid::Uuid;

use crate::word::word;
use crate::{Error, Tx};

/// What a person decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Verdict {
    /// Pay it.
    Approve,
    /// Do not pay it.
    Deny,
    /// The requester takes it back.
    Cancel,
    /// Stop it for now.
    Hold,
    /// Let it go on.
    Release,
}

/// A decision and its result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Its number.
    pub id: Uuid,
    /// CloudEvents source of the message.
    pub source: String,
    /// CloudEvents id of the message; unique with `source`.
    pub event_id: String,
    /// What it is about.
    pub withdrawal_id: Uuid,
    /// What was decided.
    pub verdict: Verdict,
    /// Who decided.
    pub actor: String,
    /// Why, in the person's words.
    pub reason: String,
    /// `applied`, or the code of the rule that refused it.
    pub result: String,
    /// S01: the effect that it was made on, where the withdrawal had one.
    pub effect_digest: Option<Vec<u8>>,
}

/// Writes decisions. One that is known already is left as it was.
///
/// # Errors
/// When the database is away.
pub async fn put(tx: &mut Tx, decisions: &[Decision], at: DateTime<Utc>) -> Result<(), Error> {
    if decisions.is_empty() {
        return Ok(());
    }
    let texts = |pick: fn(&Decision) -> &str| decisions.iter().map(pick).collect::<Vec<_>>();
    sqlx::query(include_str!("../sql/decision_put.sql"))
        .bind(decisions.iter().map(|it| it.id).collect::<Vec<_>>())
        .bind(texts(|it| &it.source))
        .bind(texts(|it| &it.event_id))
        .bind(decisions.iter().map(|it| it.withdrawal_id).collect::<Vec<_>>())
        .bind(texts(|it| it.verdict.into()))
        .bind(texts(|it| &it.actor))
        .bind(texts(|it| &it.reason))
        .bind(texts(|it| &it.result))
        .bind(at)
        .bind(decisions.iter().map(|it| it.effect_digest.as_deref()).collect::<Vec<_>>())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The people whose approvals of these withdrawals stand: an approval of another
/// effect than the one that would be paid now does not.
///
/// # Errors
/// When the database is away.
pub async fn approvers(
    connection: &mut PgConnection,
    withdrawals: &[Uuid],
) -> Result<Vec<(Uuid, String)>, Error> {
    Ok(sqlx::query_as(include_str!("../sql/decision_approvers.sql"))
        .bind(withdrawals)
        .fetch_all(connection)
        .await?)
}

/// Every decision on a withdrawal, oldest first.
///
/// # Errors
/// When the database is away.
pub async fn of_withdrawal(connection: &mut PgConnection, withdrawal: Uuid) -> Result<Vec<Decision>, Error> {
    use sqlx::Row;
    let rows = sqlx::query(include_str!("../sql/decision_of_withdrawal.sql"))
        .bind(withdrawal)
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Decision {
                id: row.try_get("id")?,
                source: row.try_get("source")?,
                event_id: row.try_get("event_id")?,
                withdrawal_id: row.try_get("withdrawal_id")?,
                verdict: word(row, "verdict")?,
                actor: row.try_get("actor")?,
                reason: row.try_get("reason")?,
                result: row.try_get("result")?,
                effect_digest: row.try_get("effect_digest")?,
            })
        })
        .collect()
}
