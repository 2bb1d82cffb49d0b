//! The approval worker: lets go what no rule has anything against, leaves the rest to people.
//!
//! ```text
//! outflow.approvals ─▶ lock cases ─▶ obstacle? hold · nobody needed, or all there? approve · else wait ─▶ write ─▶ ack
//! ```
//!
//! A nudge can be lost with its queue. So whatever has waited for a while is looked
//! at again without one; what waits for people goes on waiting.

use std::collections::BTreeSet;
use std::ops::AddAssign;
use std::time::Duration;

use broker::topology::{APPROVALS, payout_queue};
use broker::{Delivery, Inbox, Settled};
use chrono::{DateTime, Utc};
use domain::{
    LegEvent, LegState, Obstacle, Standing, WithdrawalEvent, WithdrawalState, date_in_shanghai, obstacle,
};
use store::accounts::Account;
use store::{Database, Tx, withdrawals};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use uuid::Uuid;

use crate::cases::Cases;
use crate::decisions::Desk;
use crate::failpoint::failpoint;
use crate::nudge;
use crate::patience::patiently;
use crate::{Clock, Error, PayoutPolicy, demand};

/// The name of this worker in traces.
const WORKER: &str = "approval";

/// A withdrawal that waits for longer than this was forgotten by its nudge, or waits for people.
const NUDGED_WITHIN: Duration = Duration::from_secs(30);

/// How often such ones are looked for.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

/// Withdrawals that are looked at in one transaction.
const BATCH: usize = 256;

/// Withdrawals that are looked at again in one transaction.
const AGAIN: i64 = 256;

/// What a pass over a batch did.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// Approved: no rule needs anybody, or everybody is there.
    pub approved: usize,
    /// Put on hold by R2 or R4.
    pub held: usize,
    /// Left to people.
    pub waiting: usize,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.approved += other.approved;
        self.held += other.held;
        self.waiting += other.waiting;
    }
}

/// Runs until `stop` is raised, and then finishes the batch in hand.
///
/// # Errors
/// When only a restart or a person can help.
pub async fn run(
    inbox: Inbox,
    database: Database,
    desk: Desk,
    clock: Clock,
    stop: CancellationToken,
) -> Result<(), Error> {
    // Whichever cannot go on has the other finish what it has in hand.
    let stop = stop.child_token();
    let ending = async |done: Result<(), Error>| {
        stop.cancel();
        done
    };
    let queue = async { ending(consume(inbox, &database, &desk, &clock, &stop).await).await };
    let again = async { ending(look_again(&database, &desk.policy, &clock, &stop).await).await };
    let (queue, again) = tokio::join!(queue, again);
    queue.and(again)
}

async fn consume(
    mut inbox: Inbox,
    database: &Database,
    desk: &Desk,
    clock: &Clock,
    stop: &CancellationToken,
) -> Result<(), Error> {
    while let Some(batch) = inbox.next_batch(stop).await {
        failpoint!("approval.taken");
        let work = || take(database, &batch.deliveries, desk, clock.now());
        let Some(tally) = patiently("the approval", stop, work).await? else { break };
        failpoint!("approval.committed");
        let lost = batch.ack().await == Settled::Lost;
        failpoint!("approval.acknowledged");
        let Tally { approved, held, waiting } = tally;
        info!(approved, held, waiting, lost, "Approval committed a batch");
    }
    Ok(())
}

/// Looks again, every now and then, at what has waited for a while.
async fn look_again(
    database: &Database,
    policy: &PayoutPolicy,
    clock: &Clock,
    stop: &CancellationToken,
) -> Result<(), Error> {
    while !stop.is_cancelled() {
        let work = || review_waiting(database, policy, clock.now());
        let Some(Tally { approved, held, .. }) = patiently("the approval", stop, work).await? else { break };
        if approved + held > 0 {
            warn!(approved, held, "Approval found withdrawals that nobody had told it of");
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_AGAIN) => {}
            () = stop.cancelled() => {}
        }
    }
    Ok(())
}

/// Looks at every withdrawal that has waited for an approval for longer than a
/// nudge takes, a batch per transaction.
///
/// # Errors
/// When the database is away or refuses.
pub async fn review_waiting(
    database: &Database,
    policy: &PayoutPolicy,
    at: DateTime<Utc>,
) -> Result<Tally, store::Error> {
    let (mut sum, mut after) = (Tally::default(), None);
    loop {
        let mut tx = database.begin().await?;
        let ids = withdrawals::waiting(&mut tx, at - NUDGED_WITHIN, after, AGAIN).await?;
        let Some(last) = ids.last() else { return Ok(sum) };
        after = Some(*last);
        let tally = review_in(&mut tx, &ids, policy, at).await?;
        tx.commit().await?;
        sum += tally;
    }
}

/// One batch of nudges, some rows per transaction.
async fn take(
    database: &Database,
    deliveries: &[Delivery],
    desk: &Desk,
    at: DateTime<Utc>,
) -> Result<Tally, store::Error> {
    let ids = nudge::accept(deliveries, APPROVALS, (database, &desk.vault), at).await?;
    let mut sum = Tally::default();
    for ids in ids.chunks(BATCH) {
        let mut tx = database.begin().await?;
        sum += review_in(&mut tx, ids, &desk.policy, at).await?;
        failpoint!("approval.written");
        tx.commit().await?;
    }
    Ok(sum)
}

/// Looks at withdrawals that wait for an approval, in one transaction.
///
/// # Errors
/// When the database is away or refuses.
pub async fn review(
    database: &Database,
    ids: &[Uuid],
    policy: &PayoutPolicy,
    at: DateTime<Utc>,
) -> Result<Tally, store::Error> {
    let mut tx = database.begin().await?;
    let tally = review_in(&mut tx, ids, policy, at).await?;
    tx.commit().await?;
    Ok(tally)
}

async fn review_in(
    tx: &mut Tx,
    ids: &[Uuid],
    policy: &PayoutPolicy,
    at: DateTime<Utc>,
) -> Result<Tally, store::Error> {
    let mut cases = Cases::lock(tx, ids, at).await?;
    let mut tally = Tally::default();
    let mut free = Vec::new();
    for id in cases.ids() {
        let case = cases.get(id).expect("an id of the cases in hand");
        if !case.awaits_approval() {
            continue;
        }
        let obstacle = cases.account_of(id).and_then(obstacle_of);
        if obstacle.is_some() && case.withdrawal.state == WithdrawalState::ActionRequired {
            // Its other legs may be under way, so it is not put on hold; no rule lets it go.
            tally.waiting += 1;
        } else if let Some(obstacle) = obstacle {
            hold(&mut cases, id, obstacle);
            tally.held += 1;
        } else {
            free.push(id);
        }
    }
    let demands = demand::settle(tx, &cases, &free, policy).await?;
    demand::tell(&mut cases, &demands);
    // An approval can be there before this worker is: from before a hold, or before new details.
    let approvers = demand::approvers(tx, &free).await?;
    for id in free {
        let there = approvers.get(&id).map_or(0, BTreeSet::len);
        match demands.people(id) {
            Some(0) => {
                approve(&mut cases, id, policy, WORKER, Some("within the amount that needs no person"));
                tally.approved += 1;
            }
            Some(people) if there >= people as usize => {
                approve(&mut cases, id, policy, WORKER, Some("everybody who is needed has approved it"));
                tally.approved += 1;
            }
            Some(_) | None => tally.waiting += 1,
        }
    }
    cases.write(tx, WORKER).await?;
    Ok(tally)
}

/// What stands against paying out money of this account (R2, R4).
pub(crate) fn obstacle_of(account: &Account) -> Option<Obstacle> {
    obstacle(&Standing {
        advance_payment: account.advance_payment,
        stopped: account.stopped_because.is_some(),
        remaining: account.remaining,
        outstanding_invoice: account.outstanding_invoice,
        unbilled: account.unbilled,
    })
}

/// Stops a withdrawal that waits for an approval, for R2 or R4.
///
/// # Panics
/// When it does not wait for an approval, which callers have checked.
pub(crate) fn hold(cases: &mut Cases, id: Uuid, obstacle: Obstacle) {
    cases
        .move_withdrawal(id, WithdrawalEvent::Hold, WORKER, Some(obstacle.into()))
        .expect("what waits for an approval can be held");
    let withdrawal = cases.withdrawal_mut(id).expect("the case is in hand");
    withdrawal.held_because = Some(obstacle.to_string());
}

/// Approves a withdrawal that waits for it: its clocks start (R7), its legs get
/// their times, and the payout queues of those that are due are told. Of one whose
/// legs were rerouted (R6c), the new destinations are approved, with clocks of
/// their own.
///
/// # Panics
/// When the withdrawal is not in hand or does not wait for an approval, which
/// callers have checked.
pub(crate) fn approve(cases: &mut Cases, id: Uuid, policy: &PayoutPolicy, by: &str, note: Option<&str>) {
    let at = cases.at();
    cases.move_withdrawal(id, WithdrawalEvent::Approve, by, note).expect("it waits for an approval");
    cases.keep_approval(id, by);
    let case = cases.get(id).expect("the case is in hand");
    let planned = case.live().filter(|it| it.state == LegState::Planned);
    let legs: Vec<_> = planned.map(|it| (it.id, it.rail)).collect();
    for (leg_id, rail) in legs {
        let times = policy.times_of(rail, at);
        cases.move_leg(leg_id, LegEvent::Schedule, by, None).expect("a planned leg can be scheduled");
        let leg = cases.leg_mut(leg_id).expect("the leg is in hand");
        leg.dispatch_at = Some(times.dispatch_at);
        leg.execute_on = Some(date_in_shanghai(times.dispatch_at));
        leg.deadline_at = times.deadline.map(|it| it.at);
        leg.deadline_provisional = times.deadline.is_some_and(|it| it.provisional);
        if times.dispatch_at <= at && leg.state == LegState::Scheduled {
            leg.nudged_at = Some(at);
            cases.nudge(payout_queue(rail), leg_id, id);
        }
    }
    let latest = cases.get(id).expect("the case is in hand").latest_deadline();
    let withdrawal = cases.withdrawal_mut(id).expect("the case is in hand");
    withdrawal.approved_at = withdrawal.approved_at.or(Some(at));
    withdrawal.deadline_at = latest.map(|(at, _)| at);
    withdrawal.deadline_provisional = latest.is_some_and(|(_, provisional)| provisional);
}
