//! Alerts of legs whose deadline is near, or over: one of each kind per leg.

use chrono::{DateTime, Utc};
use domain::Rail;
use strum::{Display, EnumString, IntoStaticStr};
use uuid::Uuid;

use crate::{Error, Tx};

/// What an alert says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Kind {
    /// The deadline is near and the money is not there.
    Warning,
    /// The deadline is over and the money is not there.
    Breach,
}

/// An alert about one leg.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alert {
    /// The leg.
    pub leg_id: Uuid,
    /// Its withdrawal.
    pub withdrawal_id: Uuid,
    /// Who carries it.
    pub rail: Rail,
    /// Its deadline.
    pub deadline_at: DateTime<Utc>,
}

/// Legs with a deadline in `span` and without an alert of this kind: leg and withdrawal.
///
/// # Errors
/// When the database is away.
pub async fn due(
    tx: &mut Tx,
    kind: Kind,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
    limit: i64,
) -> Result<Vec<(Uuid, Uuid)>, Error> {
    let kind: &'static str = kind.into();
    Ok(sqlx::query_as(include_str!("../sql/deadline_alert_due.sql"))
        .bind(kind)
        .bind(from)
        .bind(to)
        .bind(limit)
        .fetch_all(&mut **tx)
        .await?)
}

/// Writes alerts, and answers with the legs that had none of this kind.
///
/// # Errors
/// When the database is away.
pub async fn put(tx: &mut Tx, kind: Kind, alerts: &[Alert], at: DateTime<Utc>) -> Result<Vec<Uuid>, Error> {
    let kind: &'static str = kind.into();
    Ok(sqlx::query_scalar(include_str!("../sql/deadline_alert_put.sql"))
        .bind(kind)
        .bind(alerts.iter().map(|it| it.leg_id).collect::<Vec<_>>())
        .bind(alerts.iter().map(|it| it.withdrawal_id).collect::<Vec<_>>())
        .bind(alerts.iter().map(|it| it.rail.into()).collect::<Vec<&'static str>>())
        .bind(alerts.iter().map(|it| it.deadline_at).collect::<Vec<_>>())
        .bind(at)
        .fetch_all(&mut **tx)
        .await?)
}
