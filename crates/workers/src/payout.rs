//! The payout worker of one rail: claims due legs and asks the gateway for the money.
//!
//! ```text
//! payout.<rail> ─▶ lock cases ▸ guards ▸ claim + attempt rows COMMITTED ─▶ … ─▶ ack
//!                                             └─▶ calls, bounded ─▶ outcomes written in batches
//! ```
//!
//! Nudges are acknowledged once every leg that they name is claimed: from then on the
//! rows carry the duty. A worker that dies after the claim leaves a leg that is
//! `dispatching` with a lease; when the lease is over, settle takes it for
//! unknown and asks the gateway. Nothing is ever sent twice by a timer.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use broker::topology::payout_queue;
use broker::{Delivery, Inbox, Settled};
use chrono::{DateTime, Utc};
use domain::{ChannelControls, LegEvent, LegState, Policy, Rail};
use futures::StreamExt;
use gateways::{Gateways, Order, Outcome};
use store::Vault;
use store::attempts::{self, Attempt, Kind};
use store::legs::Leg;
use store::{Database, Tx, circuits, late_effects};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};
use uuid::Uuid;

use crate::approval::obstacle_of;
use crate::bank_run::{self, BankRules};
use crate::cases::Cases;
use crate::failpoint::{failpoint, planted};
use crate::gate::{Gate, Pass};
use crate::holds::PAYEE_UNREADABLE;
use crate::late::PREDECESSOR_PAID;
use crate::orders::orders;
use crate::outcome::{Told, close_route, record_payments};
use crate::patience::patiently;
use crate::route_guard::RouteGuard;
use crate::traceparent::{self, Trace};
use crate::{Clock, Error, circuit, nudge, reroute};

/// The name of this worker in traces.
const WORKER: &str = "payout";

/// Calls of one rail that may be under way at a time.
const CALLS: usize = 128;

/// Legs that are claimed in one transaction. Few enough that their calls begin before
/// the claim runs out.
const CLAIMS: usize = 256;

/// Outcomes that are written in one transaction.
const OUTCOMES: usize = 256;

/// The code of a call that was not made because sends were stopped after its claim.
pub(crate) const STOPPED: &str = "stopped";

/// The code of a call that was not made because its channel's circuit opened after its claim.
pub(crate) const RESTS: &str = "circuit_open";

/// How long a claim is trusted. Longer than a call with its wait for a permit.
pub(crate) const LEASE: Duration = Duration::from_mins(1);

/// What the worker needs besides its queue.
#[derive(Clone)]
pub struct Till {
    /// Where the legs are.
    pub database: Database,
    /// Opens the payees' account numbers.
    pub vault: Vault,
    /// Who is asked for the money.
    pub gateways: Arc<Gateways>,
    /// R6, R18: until when and how often money goes back to its source.
    pub rules: Arc<Policy>,
    /// R7: when files go to the bank, and how much may be in them.
    pub bank: BankRules,
    /// How hard each channel may be pushed.
    pub controls: ChannelControls,
    /// The time.
    pub clock: Clock,
}

/// A call that may be made: its attempt row is committed.
pub(crate) struct Call {
    pub(crate) leg_id: Uuid,
    pub(crate) attempt_id: Uuid,
    pub(crate) lease_until: DateTime<Utc>,
    /// Of the circuit that let it through.
    pub(crate) circuit_version: i64,
    /// Its span, where its request belongs to a trace.
    pub(crate) trace: Option<Trace>,
    pub(crate) order: Order,
}

/// Runs until `stop` is raised, and then waits for the calls under way. The bank
/// has files instead of calls: see `bank_run`.
///
/// # Errors
/// When only a restart or a person can help.
///
/// # Panics
/// When a part of this worker panicked, which is a defect.
pub async fn run(mut inbox: Inbox, rail: Rail, till: Till, stop: CancellationToken) -> Result<(), Error> {
    if rail == Rail::Bank {
        return bank_run::run(inbox, till, stop).await;
    }
    let (answers, mut answered) = mpsc::channel::<Told<Outcome>>(4 * CALLS);
    let writer = tokio::spawn({
        let (till, stop) = (till.clone(), stop.clone());
        async move { write_outcomes(&mut answered, rail, &till, &stop).await }
    });
    let gate = Gate::watch(till.database.clone(), rail);
    let permits = Arc::new(Semaphore::new(CALLS));
    let counter = Counter { rail, till, gate, permits, calls: TaskTracker::new(), answers };
    while let Some(batch) = inbox.next_batch(&stop).await {
        failpoint!("payout.taken");
        let Some(claimed) = counter.serve(&batch.deliveries, &stop).await? else { break };
        let lost = batch.ack().await == Settled::Lost;
        failpoint!("payout.acknowledged");
        info!(%rail, claimed, lost, "Payout claimed what a batch of nudges named");
    }
    counter.close().await;
    writer.await.expect("the writer does not panic")
}

/// Where the calls of one rail are made.
struct Counter {
    rail: Rail,
    till: Till,
    gate: Gate,
    permits: Arc<Semaphore>,
    calls: TaskTracker,
    answers: mpsc::Sender<Told<Outcome>>,
}

impl Counter {
    /// Claims what nudges name, some legs per transaction, and begins the calls of
    /// each claim before the next one. Answers how many; nothing when `stop` came first.
    async fn serve(&self, nudges: &[Delivery], stop: &CancellationToken) -> Result<Option<usize>, Error> {
        let (rail, till) = (self.rail, &self.till);
        let desk = (&till.database, &till.vault);
        let accept = || nudge::accept(nudges, payout_queue(rail), desk, till.clock.now());
        let Some(ids) = patiently("a payout worker", stop, accept).await? else { return Ok(None) };
        let mut begun = 0;
        for ids in ids.chunks(CLAIMS) {
            if stop.is_cancelled() {
                return Ok(None);
            }
            let claim = || claim(ids, rail, till);
            let Some(claimed) = patiently("a payout worker", stop, claim).await? else { return Ok(None) };
            failpoint!("payout.claimed");
            begun += claimed.len();
            for call in claimed {
                self.begin(call).await;
            }
        }
        Ok(Some(begun))
    }

    /// Begins a call as soon as fewer than [`CALLS`] are under way.
    async fn begin(&self, call: Call) {
        let permits = Arc::clone(&self.permits);
        let permit = permits.acquire_owned().await.expect("the semaphore is never closed");
        let (rail, till, gate) = (self.rail, self.till.clone(), self.gate.clone());
        let answers = self.answers.clone();
        self.calls.spawn(async move {
            if let Some(told) = make(call, rail, &till, gate).await {
                // The writer ends only after every sender is gone.
                let _ = answers.send(told).await;
            }
            drop(permit);
        });
    }

    /// Waits for the calls under way.
    async fn close(self) {
        self.calls.close();
        self.calls.wait().await;
    }
}

/// Makes one call, unless its lease ran out while it waited: then settle has the
/// leg, and a call now could come after a resend. A stop that was thrown since
/// the claim sends the leg back to wait: it is certain that nothing was sent.
async fn make(call: Call, rail: Rail, till: &Till, mut gate: Gate) -> Option<Told<Outcome>> {
    let trusted_for = (call.lease_until - till.clock.now()).to_std().unwrap_or_default();
    let answer = match gate.ask(Instant::now() + trusted_for, call.circuit_version).await {
        Pass::Open if till.clock.now() < call.lease_until => {
            failpoint!("payout.before-call");
            let pay = till.gateways.of(rail).pay(&call.order);
            traceparent::in_span(call.trace, (rail, "pay"), pay, |it| it.into()).await
        }
        Pass::Stopped => unsent(STOPPED),
        Pass::Resting => unsent(RESTS),
        Pass::Open | Pass::Unknown => {
            warn!(leg = %call.leg_id, "A claim ran out before its call; settle takes it up");
            return None;
        }
    };
    failpoint!("payout.after-call");
    let answer = if planted!("fail-on-timeout") { doubt_as_failure(answer) } else { answer };
    Some(Told { leg_id: call.leg_id, attempt_id: call.attempt_id, answer })
}

/// What is told of a call that was not made, under one of our own codes.
pub(crate) fn unsent(code: &str) -> Outcome {
    let detail = if code == STOPPED { "sends were stopped" } else { "the channel was left in peace" };
    Outcome::RetryLater { code: code.to_owned(), detail: format!("{detail} before the call") }
}

/// The planted bug of a test: what is not known is taken for a refusal.
fn doubt_as_failure(answer: Outcome) -> Outcome {
    match answer {
        Outcome::Unknown { code, detail } => Outcome::Failed { code, detail },
        known => known,
    }
}

/// Writes outcomes in batches until the last sender is gone.
///
/// The outcome of a call that cannot be written is not lost: the leg's lease
/// ends, and settle asks the gateway.
async fn write_outcomes(
    answered: &mut mpsc::Receiver<Told<Outcome>>,
    rail: Rail,
    till: &Till,
    stop: &CancellationToken,
) -> Result<(), Error> {
    let mut batch = Vec::with_capacity(OUTCOMES);
    while answered.recv_many(&mut batch, OUTCOMES).await > 0 {
        let write = || record_payments(till, rail, &batch, till.clock.now());
        patiently("a payout worker", stop, write).await?;
        batch.clear();
    }
    Ok(())
}

/// Claims legs, asks for their money, and writes what came of it: the whole
/// duty in one pass. Answers how many calls were made; on the bank's rail how many
/// transfers were sent, of all legs that are due.
///
/// # Errors
/// When the database is away or refuses.
pub async fn pass(till: &Till, rail: Rail, ids: &[Uuid]) -> Result<usize, store::Error> {
    if rail == Rail::Bank {
        return bank_run::pass(till).await;
    }
    let at = till.clock.now();
    let mut tx = till.database.begin().await?;
    let calls = claim_in(&mut tx, ids, rail, (till, at)).await?;
    tx.commit().await?;
    let gate = Gate::watch(till.database.clone(), rail);
    let told: Vec<_> = futures::stream::iter(calls)
        .map(|call| make(call, rail, till, gate.clone()))
        .buffer_unordered(CALLS)
        .collect()
        .await;
    let told: Vec<Told<Outcome>> = told.into_iter().flatten().collect();
    record_payments(till, rail, &told, till.clock.now()).await?;
    Ok(told.len())
}

/// Claims legs that a nudge named, in one transaction.
async fn claim(ids: &[Uuid], rail: Rail, till: &Till) -> Result<Vec<Call>, store::Error> {
    let at = till.clock.now();
    let mut tx = till.database.begin().await?;
    let calls = claim_in(&mut tx, ids, rail, (till, at)).await?;
    failpoint!("payout.written");
    tx.commit().await?;
    Ok(calls)
}

/// Guards at the dispatch (R6c): R2, R4, the window, the channel's limits (R18)
/// and the stops. A leg that meets an obstacle goes on hold, and so does one whose
/// payee's number cannot be opened, or whose predecessor was paid after all; one
/// whose way back is closed is rerouted without a call; a stopped rail leaves its
/// legs as they are. What is beyond the channel's limits, or too soon after another
/// refund of the same payment, is due again a little later.
pub(crate) async fn claim_in(
    tx: &mut Tx,
    ids: &[Uuid],
    rail: Rail,
    (till, at): (&Till, DateTime<Utc>),
) -> Result<Vec<Call>, store::Error> {
    let standing = circuits::standing(tx, rail).await?;
    if standing.stopped {
        return Ok(Vec::new());
    }
    let control = till.controls.of(rail);
    let mut cases = Cases::lock_of_legs(tx, ids, at).await?;
    let mut guard = RouteGuard::read(tx, ids, &till.rules).await?;
    let is_due = |leg: &Leg| {
        leg.rail == rail && leg.state == LegState::Scheduled && leg.dispatch_at.is_some_and(|it| it <= at)
    };
    // Nudges can name a leg twice, and its second name must not move what its first one sends.
    let mut named = HashSet::with_capacity(ids.len());
    let due: Vec<Uuid> =
        ids.iter().copied().filter(|id| named.insert(*id) && cases.leg(*id).is_some_and(is_due)).collect();
    let mut orders = orders(tx, &till.vault, due.iter().filter_map(|id| cases.leg(*id))).await?;
    let before: Vec<Uuid> =
        due.iter().filter_map(|id| cases.leg(*id)).filter_map(|leg| leg.predecessor_id).collect();
    let paid_before = late_effects::paid_after_all(tx, &before).await?;
    let mut ready = Vec::with_capacity(due.len());
    for id in due {
        let Some(leg) = cases.leg(id).filter(|leg| is_due(leg)) else { continue };
        if let Some(obstacle) = cases.account_of(leg.withdrawal_id).and_then(obstacle_of) {
            hold(&mut cases, id, obstacle.into(), None);
        } else if leg.predecessor_id.is_some_and(|it| paid_before.contains(&it)) {
            hold(&mut cases, id, PREDECESSOR_PAID, None);
        } else if let Some(closed) = guard.closed(leg, at) {
            warn!(leg = %id, because = closed.code(), "A leg is not sent: its way back to the source is closed");
            close_route(&mut cases, id, &closed);
        } else if let Some(why) = orders.unreadable.get(&id) {
            hold(&mut cases, id, PAYEE_UNREADABLE, Some(why));
        } else if let Some(until) = guard.too_soon(leg, control.refund_spacing, at) {
            wait(&mut cases, id, Some(until));
        } else {
            guard.count(leg);
            ready.push(id);
        }
    }
    let granted = circuit::take(tx, rail, (&standing.row, control), &ready, at).await?;
    let (mut claimed, mut calls) = (Vec::new(), Vec::new());
    for (place, id) in ready.into_iter().enumerate() {
        if place >= granted.legs {
            wait(&mut cases, id, granted.turn_of(place - granted.legs, at));
        } else if let Some(order) = orders.by_leg.remove(&id) {
            let attempt = dispatch(&mut cases, id);
            calls.push(Call {
                leg_id: id,
                attempt_id: attempt.id,
                lease_until: at + LEASE,
                circuit_version: granted.version,
                trace: traceparent::of_call(&cases, id, attempt.id),
                order,
            });
            claimed.push(attempt);
        }
    }
    attempts::start(tx, &claimed, at).await?;
    reroute::take_up(tx, &mut cases, &till.rules, WORKER).await?;
    cases.write(tx, WORKER).await?;
    Ok(calls)
}

/// Claims a due leg, and answers with the row of the call that follows.
fn dispatch(cases: &mut Cases, id: Uuid) -> Attempt {
    let at = cases.at();
    cases.move_leg(id, LegEvent::Dispatch, WORKER, None).expect("a scheduled leg can be dispatched");
    let leg = cases.leg_mut(id).expect("the leg is in hand");
    leg.attempts += 1;
    leg.asked = 0;
    leg.lease_until = Some(at + LEASE);
    leg.check_at = leg.lease_until;
    Attempt {
        id: Uuid::now_v7(),
        leg_id: id,
        payout_no: leg.payout_no.clone(),
        number: leg.attempts,
        kind: Kind::Pay,
    }
}

/// Lets a due leg wait: until a moment, or until release sees that its channel takes
/// something again.
fn wait(cases: &mut Cases, id: Uuid, until: Option<DateTime<Utc>>) {
    let leg = cases.leg_mut(id).expect("the leg is in hand");
    leg.dispatch_at = until.or(leg.dispatch_at);
    leg.nudged_at = None;
}

/// Stops a due leg for a guard: `word` says which, `why` what a person should know.
pub(crate) fn hold(cases: &mut Cases, id: Uuid, word: &'static str, why: Option<&str>) {
    let note = why.map_or_else(|| word.to_owned(), |why| format!("{word}: {why}"));
    cases.move_leg(id, LegEvent::Hold, WORKER, Some(&note)).expect("a scheduled leg can be held");
    let withdrawal_id = cases.leg(id).expect("the leg is in hand").withdrawal_id;
    let withdrawal = cases.withdrawal_mut(withdrawal_id).expect("a leg's withdrawal is in hand");
    withdrawal.held_because = Some(word.to_owned());
}
