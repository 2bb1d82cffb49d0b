//! The circuit of each channel: what a payout worker may send now, and what
//! answers say about the channel itself.
//!
//! ```text
//! claim: legs that are ready ─▶ circuit row locked ▸ try? calls in flight? pace? ─▶ so many go, the rest wait
//! outcomes: answered? troubled? wrong settings? ─▶ the row, if anything changes by it
//! ```
//!
//! The row is shared by every worker of the rail. While it is closed and no limit
//! is set, neither side locks it: a channel that is well costs one look. While it is
//! open, nothing is sent and nothing fails: `release` tells nobody of its legs until
//! one of them may try, and settle goes on asking about what is in doubt.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{Admission, Caller, ChannelControl, CircuitState, Health, Rail};
use gateways::Outcome;
use store::Tx;
use store::circuits::{self, CircuitRow};
use tracing::{info, warn};
use uuid::Uuid;

use crate::outcome::Told;
use crate::patience::delay_of_attempt;
use crate::payout::{LEASE, RESTS, STOPPED};

/// How many legs of a batch may be sent now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Granted {
    /// The first so many.
    pub(crate) legs: usize,
    /// How many of the others get their turn in each second that follows; nothing
    /// where they wait for the channel to be well again.
    pub(crate) per_second: Option<usize>,
    /// The version of the circuit that lets them through.
    pub(crate) version: i64,
}

impl Granted {
    /// When the `place`-th of those that have to wait is due again.
    pub(crate) fn turn_of(self, place: usize, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let seconds = 1 + place / self.per_second?.max(1);
        Some(at + TimeDelta::seconds(i64::try_from(seconds).unwrap_or(i64::MAX >> 20)))
    }
}

/// Takes what these legs need from the channel's limits, in their order. The bank
/// is sent one file at a time, so that a file is one call whatever is in it.
///
/// The caller holds the locks of the legs, and `seen` is the row as it stood
/// at the beginning of the transaction.
pub(crate) async fn take(
    tx: &mut Tx,
    rail: Rail,
    (seen, control): (&CircuitRow, &ChannelControl),
    ready: &[Uuid],
    at: DateTime<Utc>,
) -> Result<Granted, store::Error> {
    let unlimited = control.concurrency.is_none() && control.pace.is_none();
    let all = Granted { legs: ready.len(), per_second: None, version: seen.version };
    if ready.is_empty() || (seen.circuit.state == CircuitState::Closed && (unlimited || rail == Rail::Bank)) {
        return Ok(all);
    }
    let mut row = circuits::lock(tx, rail).await?;
    let granted = match row.circuit.admits(at) {
        Admission::Nothing => return Ok(Granted { legs: 0, per_second: None, version: row.version }),
        Admission::Probe => {
            row.circuit = row.circuit.probed(at + LEASE);
            row.probe_leg_id = spokesman(rail, ready.iter().copied());
            info!(%rail, leg = ?row.probe_leg_id, "One payment finds out whether the channel is well again");
            let legs = if rail == Rail::Bank { ready.len() } else { 1 };
            Granted { legs, per_second: None, version: row.version + 1 }
        }
        Admission::All if rail == Rail::Bank => Granted { version: row.version + 1, ..all },
        Admission::All => {
            let (mut legs, mut per_second) = (ready.len(), None);
            if let Some(most) = control.concurrency {
                let in_flight = circuits::in_flight(tx, rail, at).await?;
                legs = legs.min((most as usize).saturating_sub(in_flight));
                per_second = Some(most as usize);
            }
            if let Some(pace) = control.pace {
                let (paced, until) = pace.grant(row.paced_until, legs, at);
                (legs, row.paced_until) = (paced, Some(until));
                let pace = pace.per_second as usize;
                per_second = Some(per_second.map_or(pace, |it: usize| it.min(pace)));
            }
            Granted { legs, per_second, version: row.version + 1 }
        }
    };
    write(tx, rail, &row, at).await?;
    Ok(granted)
}

/// Hears what answers say about the channel. It is told of every call, also of one that
/// was not made after all: a try that nobody hears of would keep the channel waiting.
pub(crate) async fn hear(
    tx: &mut Tx,
    rail: Rail,
    control: &ChannelControl,
    told: &[Told<Outcome>],
    at: DateTime<Utc>,
) -> Result<(), store::Error> {
    let words = words(rail, told);
    let after = |row: &CircuitRow| {
        words.iter().fold(row.clone(), |row, (leg, health)| {
            let caller =
                if row.probe_leg_id.is_some_and(|it| it == *leg) { Caller::Probe } else { Caller::Other };
            let rule = &control.circuit;
            let rest = rest_of(rule.rest, rule.rest_longest, row.circuit.rests);
            let circuit = row.circuit.after((health, caller), (rule, rest), at);
            CircuitRow { circuit, ..row }
        })
    };
    let seen = circuits::standing(tx, rail).await?.row;
    if after(&seen).circuit == seen.circuit {
        return Ok(());
    }
    let before = circuits::lock(tx, rail).await?;
    let row = after(&before);
    match (before.circuit.state, row.circuit.state) {
        (CircuitState::Closed | CircuitState::HalfOpen, CircuitState::Open) => {
            let cause = row.circuit.cause.as_deref().unwrap_or_default();
            warn!(%rail, cause, until = ?row.circuit.probe_at, "The channel's circuit is open: nothing is sent");
        }
        (CircuitState::HalfOpen, CircuitState::Closed) => {
            info!(%rail, "The channel's circuit is closed again");
        }
        _ => {}
    }
    write(tx, rail, &row, at).await
}

/// Whether sends of a rail rest at the moment: its circuit admits nothing.
pub(crate) fn rests(row: &CircuitRow, at: DateTime<Utc>) -> bool {
    row.circuit.admits(at) == Admission::Nothing
}

async fn write(tx: &mut Tx, rail: Rail, row: &CircuitRow, at: DateTime<Utc>) -> Result<(), store::Error> {
    // It is locked, so nobody else can have written it.
    if circuits::write(tx, rail, row, at).await? {
        Ok(())
    } else {
        Err(store::Error::Stale { what: "a circuit" })
    }
}

/// What each call says about the channel; a bank file is one call.
fn words(rail: Rail, told: &[Told<Outcome>]) -> Vec<(Uuid, Health)> {
    let each = told.iter().map(|it| (it.leg_id, health(&it.answer)));
    if rail != Rail::Bank {
        return each.collect();
    }
    let all: Vec<_> = each.filter(|(_, health)| *health != Health::Unsent).collect();
    // Where one transfer was answered the file arrived.
    let answered = all.iter().any(|(_, health)| *health == Health::Answers);
    let speaks = spokesman(rail, told.iter().map(|it| it.leg_id));
    let word = if answered { Some(Health::Answers) } else { all.into_iter().next().map(|it| it.1) };
    speaks.map(|leg| (leg, word.unwrap_or(Health::Unsent))).into_iter().collect()
}

/// The leg that stands for a call: its own, and for a bank file the same one of its
/// transfers in whatever order they come.
fn spokesman(rail: Rail, mut legs: impl Iterator<Item = Uuid>) -> Option<Uuid> {
    if rail == Rail::Bank { legs.min() } else { legs.next() }
}

/// What an outcome says about the channel, as against the payment.
fn health(outcome: &Outcome) -> Health {
    match outcome {
        Outcome::RetryLater { code, .. } if is_unsent(code) => Health::Unsent,
        Outcome::Unknown { code, .. } | Outcome::RetryLater { code, .. } => Health::Troubled(code.clone()),
        Outcome::Configuration { code, .. } => Health::Misconfigured(code.clone()),
        Outcome::Succeeded { .. }
        | Outcome::Pending { .. }
        | Outcome::Failed { .. }
        | Outcome::Reroute { .. } => Health::Answers,
    }
}

/// Whether a code is one of ours for a call that was not made.
pub(crate) fn is_unsent(code: &str) -> bool {
    [STOPPED, RESTS].contains(&code)
}

/// How long the channel is left in peace after so many rests in a row, with jitter.
fn rest_of(first: TimeDelta, longest: TimeDelta, rests: u32) -> TimeDelta {
    let std = |it: TimeDelta| it.to_std().unwrap_or_default();
    let attempt = i32::try_from(rests.saturating_add(1)).unwrap_or(i32::MAX);
    TimeDelta::from_std(delay_of_attempt(attempt, std(first), std(longest))).unwrap_or(longest)
}
