//! Alerts of deadlines (R7): a leg is warned of in time, and its breach is told, once each.

use broker::contract::{Amount, DeadlineAlert, Lateness};
use chrono::{DateTime, Utc};
use domain::LegState;
use store::Database;
use store::deadline_alerts::{self, Alert, Kind};
use store::legs::Leg;
use store::outbox::Outgoing;
use store::withdrawals::Withdrawal;
use uuid::Uuid;

use super::{BATCH, WORKER};
use crate::cases::Cases;
use crate::failpoint::failpoint;
use crate::{PayoutPolicy, events};

/// Alerts that one look raised.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Raised {
    /// Legs whose deadline is near.
    pub warnings: usize,
    /// Legs whose deadline is over.
    pub breaches: usize,
}

/// Raises every alert that is due, and answers how many those were.
///
/// A leg is warned of from the moment at which no more than the headroom's working
/// days are left to it. One that nobody looked at before its deadline passed is
/// told as missed and not warned of any more.
///
/// # Errors
/// When the database is away or refuses.
pub async fn alert(
    database: &Database,
    policy: &PayoutPolicy,
    at: DateTime<Utc>,
) -> Result<Raised, store::Error> {
    let soon = policy.calendar.end_of_working_day(at, policy.deadline_headroom_days).at;
    Ok(Raised {
        breaches: raise(database, Kind::Breach, (DateTime::UNIX_EPOCH, at), at).await?,
        warnings: raise(database, Kind::Warning, (at, soon), at).await?,
    })
}

/// Raises the alerts of one kind for deadlines in a span, a batch per transaction.
async fn raise(
    database: &Database,
    kind: Kind,
    span: (DateTime<Utc>, DateTime<Utc>),
    at: DateTime<Utc>,
) -> Result<usize, store::Error> {
    let mut raised = 0;
    loop {
        let mut tx = database.begin().await?;
        let due = deadline_alerts::due(&mut tx, kind, span, BATCH).await?;
        if due.is_empty() {
            return Ok(raised);
        }
        let (due, mut withdrawals): (Vec<Uuid>, Vec<Uuid>) = due.into_iter().unzip();
        withdrawals.sort_unstable();
        withdrawals.dedup();
        let mut cases = Cases::lock(&mut tx, &withdrawals, at).await?;
        // Whoever was faster than this lock may have paid the leg, or told of it.
        let still: Vec<Alert> = due
            .iter()
            .filter_map(|id| cases.leg(*id))
            .filter(|leg| is_late(leg, span))
            .map(alert_of)
            .collect();
        let new = deadline_alerts::put(&mut tx, kind, &still, at).await?;
        for id in &new {
            let case = cases.case_of(*id).expect("an alert is of a leg in hand");
            let leg = cases.leg(*id).expect("an alert is of a leg in hand");
            let event = told(&case.withdrawal, leg, kind, at);
            cases.publish(event);
        }
        cases.write(&mut tx, WORKER).await?;
        failpoint!("alerts.written");
        tx.commit().await?;
        failpoint!("alerts.committed");
        raised += new.len();
        if new.is_empty() {
            return Ok(raised);
        }
    }
}

/// Whether a leg's money is not there and its deadline lies in the span.
fn is_late(leg: &Leg, (from, to): (DateTime<Utc>, DateTime<Utc>)) -> bool {
    use LegState::{Canceled, Paid, Released, Settled};
    let over = matches!(leg.state, Paid | Settled | Released | Canceled) || leg.paid_at.is_some();
    !over && leg.deadline_at.is_some_and(|it| from <= it && it <= to)
}

fn alert_of(leg: &Leg) -> Alert {
    Alert {
        leg_id: leg.id,
        withdrawal_id: leg.withdrawal_id,
        rail: leg.rail,
        deadline_at: leg.deadline_at.expect("only legs with a deadline are late"),
    }
}

fn told(withdrawal: &Withdrawal, leg: &Leg, kind: Kind, at: DateTime<Utc>) -> Outgoing {
    let lateness = match kind {
        Kind::Warning => Lateness::Near,
        Kind::Breach => Lateness::Over,
    };
    let alert = DeadlineAlert {
        withdrawal_id: withdrawal.id,
        leg_id: leg.id,
        payout_no: leg.payout_no.clone(),
        rail: leg.rail,
        amount: Amount::new(leg.amount, withdrawal.currency),
        currency: withdrawal.currency,
        state: leg.state,
        deadline_at: leg.deadline_at.expect("only legs with a deadline are late"),
        provisional: leg.deadline_provisional,
    };
    let envelope = alert.into_message(lateness, Uuid::now_v7(), at);
    events::message(withdrawal, DeadlineAlert::routing_key(lateness).to_owned(), envelope)
}
