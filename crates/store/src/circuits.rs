//! The circuits of the channels: one row each, shared by every payout worker.

use chrono::{DateTime, Utc};
use domain::{Circuit, CircuitState, Rail, Tally};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row as _};
use strum::IntoEnumIterator;
use uuid::Uuid;

use crate::stops::ALL;
use crate::word::word;
use crate::{Error, Tx};

/// A circuit as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CircuitRow {
    /// How it stands.
    pub circuit: Circuit,
    /// One more with each change, of whatever part.
    pub version: i64,
    /// The leg whose call tries; nothing unless it is half open.
    pub probe_leg_id: Option<Uuid>,
    /// Until when the calls that its pace allows are spoken for.
    pub paced_until: Option<DateTime<Utc>>,
}

/// Whether a rail may send, as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// A switch stops it (S07).
    pub stopped: bool,
    /// Its circuit.
    pub row: CircuitRow,
}

/// The switches and the circuit of a rail.
///
/// # Errors
/// When the database is away; a caller that does not know must not send (S07).
pub async fn standing(connection: &mut PgConnection, rail: Rail) -> Result<Standing, Error> {
    let sql = include_str!("../sql/circuit_standing.sql");
    let row = sqlx::query(sql).bind(<&str>::from(rail)).fetch_one(connection).await?;
    Ok(Standing { stopped: row.try_get("stopped")?, row: circuit(&row)? })
}

/// Calls of a rail that are claimed and not answered yet, by every worker.
///
/// # Errors
/// When the database is away.
pub async fn in_flight(tx: &mut Tx, rail: Rail, at: DateTime<Utc>) -> Result<usize, Error> {
    let sql = include_str!("../sql/leg_in_flight.sql");
    let count: i64 = sqlx::query_scalar(sql).bind(<&str>::from(rail)).bind(at).fetch_one(&mut **tx).await?;
    Ok(usize::try_from(count).unwrap_or_default())
}

/// The circuit of a rail, locked until the transaction ends: after the locks of
/// accounts, withdrawals and legs.
///
/// # Errors
/// When the database is away.
pub async fn lock(tx: &mut Tx, rail: Rail) -> Result<CircuitRow, Error> {
    let sql = include_str!("../sql/circuit_lock.sql");
    circuit(&sqlx::query(sql).bind(<&str>::from(rail)).fetch_one(&mut **tx).await?)
}

/// Every circuit.
///
/// # Errors
/// When the database is away.
pub async fn all(connection: &mut PgConnection) -> Result<Vec<(Rail, CircuitRow)>, Error> {
    let rows = sqlx::query(include_str!("../sql/circuit_all.sql")).fetch_all(connection).await?;
    rows.iter().map(|row| Ok((word(row, "rail")?, circuit(row)?))).collect()
}

/// Writes the circuit of a rail as it became from the version of `row`. False
/// when it changed meanwhile: read it and decide again.
///
/// # Errors
/// When the database is away.
pub async fn write(tx: &mut Tx, rail: Rail, row: &CircuitRow, at: DateTime<Utc>) -> Result<bool, Error> {
    let it = &row.circuit;
    let probe_leg = row.probe_leg_id.filter(|_| it.state == CircuitState::HalfOpen);
    let done = sqlx::query(include_str!("../sql/circuit_write.sql"))
        .bind(<&str>::from(rail))
        .bind(row.version)
        .bind(<&str>::from(it.state))
        .bind(number(it.failures))
        .bind(it.tally.map(|tally| tally.since))
        .bind(it.tally.map(|tally| number(tally.calls)))
        .bind(it.tally.map(|tally| number(tally.failures)))
        .bind(&it.cause)
        .bind(it.opened_at)
        .bind(it.probe_at)
        .bind(probe_leg)
        .bind(number(it.rests))
        .bind(row.paced_until)
        .bind(at)
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Closes the circuit of a rail, or of every rail, by hand. False when none of them is open.
///
/// # Errors
/// When the database is away.
pub async fn close(tx: &mut Tx, name: &str, at: DateTime<Utc>) -> Result<bool, Error> {
    let mut closed = false;
    for rail in Rail::iter().filter(|it| name == ALL || name == <&str>::from(*it)) {
        let row = lock(tx, rail).await?;
        if row.circuit.state != CircuitState::Closed {
            write(tx, rail, &CircuitRow { circuit: Circuit::CLOSED, ..row }, at).await?;
            closed = true;
        }
    }
    Ok(closed)
}

fn number(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn count(row: &PgRow, column: &str) -> Result<u32, Error> {
    let count: Option<i32> = row.try_get(column)?;
    Ok(count.and_then(|it| u32::try_from(it).ok()).unwrap_or_default())
}

fn circuit(row: &PgRow) -> Result<CircuitRow, Error> {
    let tally = match row.try_get("tally_since")? {
        Some(since) => {
            Some(Tally { since, calls: count(row, "tally_calls")?, failures: count(row, "tally_failures")? })
        }
        None => None,
    };
    Ok(CircuitRow {
        circuit: Circuit {
            state: word(row, "state")?,
            failures: count(row, "failures")?,
            tally,
            cause: row.try_get("cause")?,
            opened_at: row.try_get("opened_at")?,
            probe_at: row.try_get("probe_at")?,
            rests: count(row, "rests")?,
        },
        version: row.try_get("version")?,
        probe_leg_id: row.try_get("probe_leg_id")?,
        paced_until: row.try_get("paced_until")?,
    })
}
