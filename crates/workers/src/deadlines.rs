//! The deadlines duty: what is late, or will be, is told in time.
//!
//! ```text
//! open withdrawals with a provisional deadline ─▶ lock cases ▸ count again ▸ moved or certain? write, trace, tell
//! legs whose deadline is near, or over         ─▶ lock cases ▸ one alert of each kind per leg, told once
//! waits for people that end soon               ─▶ lock cases ▸ one reminder per wait, told once
//! ```
//!
//! A calendar is read when a process starts, so that provisional deadlines are counted
//! again at once (R7b); the later passes find what another process, with an older
//! calendar, wrote meanwhile.

mod alerts;
mod reminders;

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::{Counted, LegState, WithdrawalEvent, date_in_shanghai};
use store::legs::Leg;
use store::{Database, trace, withdrawals};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use uuid::Uuid;

use crate::cases::{Case, Cases};
use crate::failpoint::failpoint;
use crate::patience::patiently;
use crate::{Clock, Error, PayoutPolicy};

pub use self::alerts::{Raised, alert};
pub use self::reminders::remind;

/// The name of this worker in traces.
const WORKER: &str = "deadlines";

/// Withdrawals that are looked at in one transaction.
const BATCH: i64 = 200;

/// How long the duty rests between two passes.
const REST: Duration = Duration::from_secs(2);

/// Runs until `stop` is raised.
///
/// # Errors
/// When only a restart or a person can help.
pub async fn run(
    database: Database,
    policy: PayoutPolicy,
    clock: Clock,
    stop: CancellationToken,
) -> Result<(), Error> {
    while !stop.is_cancelled() {
        let done = patiently("the deadlines duty", &stop, || watch(&database, &policy, clock.now())).await?;
        if done.is_none() {
            break;
        }
        tokio::select! {
            () = tokio::time::sleep(REST) => {}
            () = stop.cancelled() => {}
        }
    }
    Ok(())
}

/// One round of everything: deadlines first, so that alerts go by the newest calendar.
async fn watch(database: &Database, policy: &PayoutPolicy, at: DateTime<Utc>) -> Result<(), store::Error> {
    let recounted = pass(database, policy, at).await?;
    if recounted > 0 {
        info!(recounted, "Provisional deadlines were counted by a new calendar");
    }
    let Raised { warnings, breaches } = alert(database, policy, at).await?;
    if warnings + breaches > 0 {
        warn!(warnings, breaches, "Deadlines of legs are near or over, and their money is not there");
    }
    let reminders = remind(database, policy, at).await?;
    if reminders > 0 {
        info!(reminders, "Withdrawals wait for people, and their time is almost over");
    }
    Ok(())
}

/// Counts every provisional deadline again, a batch per transaction, and answers
/// how many withdrawals got another one.
///
/// # Errors
/// When the database is away or refuses.
pub async fn pass(
    database: &Database,
    policy: &PayoutPolicy,
    at: DateTime<Utc>,
) -> Result<usize, store::Error> {
    let (mut recounted, mut after) = (0, None);
    loop {
        let mut tx = database.begin().await?;
        let ids = withdrawals::provisional(&mut tx, after, BATCH).await?;
        let Some(last) = ids.last() else { return Ok(recounted) };
        after = Some(*last);
        let mut cases = Cases::lock(&mut tx, &ids, at).await?;
        let approved: HashMap<Uuid, DateTime<Utc>> =
            trace::scheduled(&mut tx, &ids).await?.into_iter().collect();
        for id in cases.ids() {
            recounted += usize::from(recount(&mut cases, id, policy, &approved));
        }
        cases.write(&mut tx, WORKER).await?;
        failpoint!("deadlines.written");
        tx.commit().await?;
        failpoint!("deadlines.committed");
    }
}

/// Counts the deadlines of one withdrawal again, each leg's from its own approval:
/// that of a rerouted slice came later (R6c). True when one moved or became
/// certain: then its status event tells the new `expected_by`.
fn recount(
    cases: &mut Cases,
    id: Uuid,
    policy: &PayoutPolicy,
    approved: &HashMap<Uuid, DateTime<Utc>>,
) -> bool {
    let Some(Case { withdrawal, legs }) = cases.get(id) else { return false };
    let Some(approved_at) = withdrawal.approved_at else { return false };
    if withdrawal.state.on(WithdrawalEvent::Recount).is_err() {
        return false;
    }
    let counted = |leg: &Leg| {
        let from = approved.get(&leg.id).copied().unwrap_or(approved_at);
        policy.calendar.bank_deadline(from)
    };
    let stale = |leg: &&Leg| {
        let counted = counted(leg);
        leg.deadline_provisional && (leg.deadline_at, true) != (Some(counted.at), counted.provisional)
    };
    let moved: Vec<(Uuid, Counted)> = legs.iter().filter(stale).map(|leg| (leg.id, counted(leg))).collect();
    if moved.is_empty() {
        return false;
    }
    for (leg, counted) in moved {
        set_leg(cases, leg, counted, policy);
    }
    set_latest(cases, id);
    let latest = cases.get(id).and_then(|case| case.withdrawal.deadline_at);
    let note = latest.map(|at| format!("expected by {}", date_in_shanghai(at)));
    cases
        .move_withdrawal(id, WithdrawalEvent::Recount, WORKER, note.as_deref())
        .expect("the state allows it: it was asked before");
    true
}

/// The deadline of a leg, and the cut-off that it waits for: what was guessed to
/// be a working day may be none. One that was sent keeps its day, which is a part
/// of its identity at the bank.
fn set_leg(cases: &mut Cases, id: Uuid, counted: Counted, policy: &PayoutPolicy) {
    let at = cases.at();
    let leg = cases.leg_mut(id).expect("the leg is in hand");
    leg.deadline_at = Some(counted.at);
    leg.deadline_provisional = counted.provisional;
    let waits = matches!(leg.state, LegState::Scheduled | LegState::Held) && leg.attempts == 0;
    if let Some(dispatch_at) = leg.dispatch_at.filter(|it| waits && *it > at) {
        let cut_off = policy.calendar.next_cut_off(dispatch_at, &policy.bank_cut_offs).at;
        leg.dispatch_at = Some(cut_off);
        leg.execute_on = Some(date_in_shanghai(cut_off));
    }
}

/// R17: a withdrawal's deadline is its latest leg's.
fn set_latest(cases: &mut Cases, id: Uuid) {
    let latest = cases.get(id).expect("the case is in hand").latest_deadline();
    let withdrawal = cases.withdrawal_mut(id).expect("the case is in hand");
    withdrawal.deadline_at = latest.map(|(at, _)| at);
    withdrawal.deadline_provisional = latest.is_some_and(|(_, provisional)| provisional);
}
