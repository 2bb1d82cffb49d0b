//! Instructions: decisions and bank details as they were read, each once for
//! ever, with what came of it.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use crate::{Error, Tx};

/// A message that people sent about a withdrawal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instruction {
    /// CloudEvents source of the message.
    pub source: String,
    /// CloudEvents id of the message; unique with `source`, for ever.
    pub event_id: String,
    /// CloudEvents type of the message.
    pub kind: String,
    /// What it is about, whether or not there is one of this number.
    pub withdrawal_id: Uuid,
    /// What it said, without secrets. Nothing for those from before it was kept.
    pub form: Option<Value>,
    /// Who said it.
    pub actor: String,
    /// `applied`, or the codes of the rules that refused it.
    pub result: String,
    /// When it was read.
    pub received_at: DateTime<Utc>,
}

/// What is known of messages with these sources and ids.
///
/// # Errors
/// When the database is away.
pub async fn known(
    connection: &mut PgConnection,
    sources: &[&str],
    event_ids: &[&str],
) -> Result<Vec<Instruction>, Error> {
    let rows = sqlx::query(include_str!("../sql/instruction_known.sql"))
        .bind(sources)
        .bind(event_ids)
        .fetch_all(connection)
        .await?;
    rows.iter().map(instruction).collect()
}

/// Keeps messages with what came of them. Their `received_at` must be one moment.
///
/// # Errors
/// [`Error::Stale`] when another worker took one of them in at this moment.
pub async fn put(tx: &mut Tx, rows: &[Instruction], at: DateTime<Utc>) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let texts = |pick: fn(&Instruction) -> &str| rows.iter().map(pick).collect::<Vec<_>>();
    let written = sqlx::query(include_str!("../sql/instruction_put.sql"))
        .bind(texts(|it| &it.source))
        .bind(texts(|it| &it.event_id))
        .bind(texts(|it| &it.kind))
        .bind(rows.iter().map(|it| it.withdrawal_id).collect::<Vec<_>>())
        .bind(rows.iter().map(|it| it.form.as_ref()).collect::<Vec<_>>())
        .bind(texts(|it| &it.actor))
        .bind(texts(|it| &it.result))
        .bind(at)
        .execute(&mut **tx)
        .await?;
    if written.rows_affected() == rows.len() as u64 {
        Ok(())
    } else {
        Err(Error::Stale { what: "an instruction" })
    }
}

/// Every message of one type about a withdrawal, oldest first.
///
/// # Errors
/// When the database is away.
pub async fn of_withdrawal(
    connection: &mut PgConnection,
    withdrawal: Uuid,
    kind: &str,
) -> Result<Vec<Instruction>, Error> {
    let rows = sqlx::query(include_str!("../sql/instruction_of_withdrawal.sql"))
        .bind(withdrawal)
        .bind(kind)
        .fetch_all(connection)
        .await?;
    rows.iter().map(instruction).collect()
}

fn instruction(row: &PgRow) -> Result<Instruction, Error> {
    Ok(Instruction {
        source: row.try_get("source")?,
        event_id: row.try_get("event_id")?,
        kind: row.try_get("type")?,
        withdrawal_id: row.try_get("withdrawal_id")?,
        form: row.try_get("form")?,
        actor: row.try_get("actor")?,
        result: row.try_get("result")?,
        received_at: row.try_get("received_at")?,
    })
}
