//! Whether the books are clean: every invariant, asked in one query.

use chrono::{DateTime, Utc};
use sqlx::Row;

use crate::{Database, Error};

/// What must be true, in one line each, by the id that [`Violation`] names.
pub const INVARIANTS: &[(&str, &str)] = &[
    ("I01", "the buckets of every top-up are not negative and add up to its original amount"),
    ("I02", "buckets, journal, legs, allocations and account totals say the same"),
    ("I03", "the legs of a withdrawal add up to its amount"),
    ("I04", "an approved withdrawal's state is the function of its legs"),
    ("I05", "every gateway movement belongs to one paid leg of the same amount"),
    ("I06", "no payout number moved money twice"),
    ("I07", "every paid leg has its movement at the gateway"),
    ("I08", "gateways, top-ups and journal paid out the same"),
    ("I09", "the journal credited every top-up with its original amount"),
    ("I10", "every request has exactly one withdrawal"),
    ("I11", "the same request again is told from another one under its id"),
    ("I12", "nothing under way is forgotten"),
    ("I13", "every move is legal, and no sequence has a gap"),
    ("I14", "every transition has its event, and events leave"),
    ("I15", "events tell every transition, in order, and nothing else"),
    ("I16", "nothing is approved without its quorum, or by its requester"),
    ("I17", "every send had its attempt row before"),
    ("I18", "the chain of the audit is unbroken"),
    ("I21", "no leg is sent before its time, and none misses its deadline unnoticed"),
];

/// A movement of money as a gateway's own book has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayMovement {
    /// The idempotency key.
    pub payout_no: String,
    /// Minor units.
    pub amount: i64,
    /// `payout`, or `return`.
    pub kind: &'static str,
}

/// Something that must not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which invariant, such as `I02`.
    pub invariant: String,
    /// Which row.
    pub subject: String,
    /// What is wrong with it.
    pub detail: String,
}

/// Asks every invariant. No answer is a clean house.
///
/// `movements` are the gateways' own books; without them the invariants that
/// compare with the outside (I05 to I08) hold as far as the inside can tell.
/// `approvers` is the quorum above the automatic amount.
///
/// # Errors
/// When the database is away.
pub async fn verify(
    database: &Database,
    movements: Option<&[GatewayMovement]>,
    approvers: i64,
    at: DateTime<Utc>,
) -> Result<Vec<Violation>, Error> {
    let mut tx = database.begin().await?;
    // One snapshot for all: a worker that commits in between would look like a violation.
    sqlx::query("set transaction isolation level repeatable read").execute(&mut *tx).await?;
    sqlx::raw_sql(include_str!("../sql/verify_evidence.sql")).execute(&mut *tx).await?;
    if let Some(movements) = movements {
        sqlx::query(include_str!("../sql/verify_movements.sql"))
            .bind(movements.iter().map(|it| it.payout_no.as_str()).collect::<Vec<_>>())
            .bind(movements.iter().map(|it| it.amount).collect::<Vec<_>>())
            .bind(movements.iter().map(|it| it.kind).collect::<Vec<_>>())
            .execute(&mut *tx)
            .await?;
    }
    let rows =
        sqlx::query(include_str!("../sql/verify.sql")).bind(at).bind(approvers).fetch_all(&mut *tx).await?;
    rows.iter()
        .map(|row| {
            Ok(Violation {
                invariant: row.try_get("invariant")?,
                subject: row.try_get("subject")?,
                detail: row.try_get("detail")?,
            })
        })
        .collect()
}
