//! Approvals: which effect of a withdrawal was approved, each time that one was (S01).

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{Error, Tx};

/// An effect that was approved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// The withdrawal.
    pub withdrawal_id: Uuid,
    /// What was approved: payees, amounts, route and legs at that moment.
    pub effect_digest: Option<Vec<u8>>,
    /// The worker, or the person who completed the quorum.
    pub approved_by: String,
}

/// Keeps approvals.
///
/// # Errors
/// When the database is away.
pub async fn put(tx: &mut Tx, approvals: &[Approval], at: DateTime<Utc>) -> Result<(), Error> {
    if approvals.is_empty() {
        return Ok(());
    }
    sqlx::query(include_str!("../sql/approval_put.sql"))
        .bind(approvals.iter().map(|it| it.withdrawal_id).collect::<Vec<_>>())
        .bind(approvals.iter().map(|it| it.effect_digest.as_deref()).collect::<Vec<_>>())
        .bind(approvals.iter().map(|it| it.approved_by.as_str()).collect::<Vec<_>>())
        .bind(at)
        .execute(&mut **tx)
        .await?;
    Ok(())
}
