//! The audit: everything that people did, as a chain (S13).
//!
//! Each entry holds the digest of the one before it. Whoever keeps the digest of
//! the newest entry somewhere else can prove later that nothing before it was
//! changed, left out or put in; `verify` recomputes the whole chain (I18). The
//! database computes the digests, so that every writer agrees on them.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::{PgConnection, Row};
use tracing::info;

use crate::{Error, Tx};

/// Something that a person did.
#[derive(Debug, Clone, PartialEq)]
pub struct Deed {
    /// Who.
    pub actor: String,
    /// With which right.
    pub role: String,
    /// What, in one word.
    pub action: String,
    /// To what: a withdrawal's number, a rail, a parked message.
    pub subject: String,
    /// What else should be known, without secrets.
    pub detail: Value,
}

impl Deed {
    /// What `(actor, role)` did to `subject`.
    #[must_use]
    pub fn new((actor, role): (&str, &str), action: &str, subject: impl Into<String>) -> Self {
        Self {
            actor: actor.to_owned(),
            role: role.to_owned(),
            action: action.to_owned(),
            subject: subject.into(),
            detail: json!({}),
        }
    }

    /// The same with more to know.
    #[must_use]
    pub fn with(self, detail: Value) -> Self {
        Self { detail, ..self }
    }
}

/// A deed in its place in the chain.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// 1, 2, 3, … without a gap.
    pub sequence: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// What was done.
    pub deed: Deed,
    /// The digest of the entry before; empty in the first one.
    pub previous: Vec<u8>,
    /// Its own.
    pub digest: Vec<u8>,
}

/// Adds a deed to the chain, in the transaction that does it, and as its last
/// write: from here on every other writer of the chain waits.
///
/// # Errors
/// When the database is away.
pub async fn put(tx: &mut Tx, deed: &Deed, at: DateTime<Utc>) -> Result<i64, Error> {
    sqlx::query(include_str!("../sql/audit_lock.sql")).execute(&mut **tx).await?;
    let row = sqlx::query(include_str!("../sql/audit_put.sql"))
        .bind(at)
        .bind(&deed.actor)
        .bind(&deed.role)
        .bind(&deed.action)
        .bind(&deed.subject)
        .bind(&deed.detail)
        .fetch_one(&mut **tx)
        .await?;
    let sequence: i64 = row.try_get("sequence")?;
    let digest: Vec<u8> = row.try_get("digest")?;
    let head = hex::encode(&digest);
    // The log leaves this machine: it is where the head of the chain is kept.
    info!(sequence, head, actor = deed.actor, action = deed.action, subject = deed.subject, "Audited");
    Ok(sequence)
}

/// The newest entries, of one subject or of all, before a place or from the end.
///
/// # Errors
/// When the database is away.
pub async fn page(
    connection: &mut PgConnection,
    subject: Option<&str>,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<Entry>, Error> {
    let rows = sqlx::query(include_str!("../sql/audit_page.sql"))
        .bind(subject)
        .bind(before)
        .bind(limit)
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Entry {
                sequence: row.try_get("sequence")?,
                at: row.try_get("at")?,
                deed: Deed {
                    actor: row.try_get("actor")?,
                    role: row.try_get("role")?,
                    action: row.try_get("action")?,
                    subject: row.try_get("subject")?,
                    detail: row.try_get("detail")?,
                },
                previous: row.try_get("previous")?,
                digest: row.try_get("digest")?,
            })
        })
        .collect()
}
