//! The holds duty: lets go what R2 or R4 had stopped, once the obstacle is gone.
//!
//! A hold that a person placed waits for a person. A hold of a guard carries the
//! guard's word in `held_because`; the guard is asked again every few seconds.
//! A payee's number that cannot be opened is such a guard too: people put the key
//! back into the ring, or the customer gives other bank details.

use std::collections::BTreeSet;
use std::time::Duration;

use broker::topology::APPROVALS;
use chrono::{DateTime, Utc};
use domain::{LegEvent, LegState, Obstacle, WithdrawalEvent, WithdrawalState, date_in_shanghai};
use store::{Database, Tx, Vault, bank_accounts, withdrawals};
use strum::VariantNames;
use tokio_util::sync::CancellationToken;
use tracing::info;
use uuid::Uuid;

use crate::approval::obstacle_of;
use crate::cases::{Case, Cases};
use crate::failpoint::failpoint;
use crate::patience::patiently;
use crate::{Clock, Error, PayoutPolicy};

/// The name of this worker in traces.
const WORKER: &str = "holds";

/// The word of the guard at the dispatch that cannot open a payee's number.
pub(crate) const PAYEE_UNREADABLE: &str = "payee_unreadable";

/// The word of a leg that was refused for the moment as often as its number may be sent.
/// No duty ends this hold: people look at the channel first.
pub(crate) const RETRIES_SPENT: &str = "retries_spent";

/// The words of the guards that this duty asks again.
fn words() -> Vec<&'static str> {
    [Obstacle::VARIANTS, &[PAYEE_UNREADABLE]].concat()
}

/// Whether a hold is one that this duty ends by itself.
pub(crate) fn ends_by_itself(because: Option<&str>) -> bool {
    because.is_some_and(|it| words().contains(&it))
}

/// Withdrawals that are looked at in one transaction.
const BATCH: i64 = 200;

/// How often the guards are asked again.
const REST: Duration = Duration::from_secs(1);

/// What the duty decides by.
#[derive(Debug, Clone)]
pub struct Guard {
    /// When legs that are let go leave.
    pub policy: PayoutPolicy,
    /// Opens the payees' account numbers.
    pub vault: Vault,
}

/// Runs until `stop` is raised.
///
/// # Errors
/// When only a restart or a person can help.
pub async fn run(
    database: Database,
    guard: Guard,
    clock: Clock,
    stop: CancellationToken,
) -> Result<(), Error> {
    while !stop.is_cancelled() {
        let Some(freed) = patiently("the holds duty", &stop, || pass(&database, &guard, clock.now())).await?
        else {
            break;
        };
        if freed > 0 {
            info!(freed, "Withdrawals came off hold: what stood against them is gone");
        }
        tokio::select! {
            () = tokio::time::sleep(REST) => {}
            () = stop.cancelled() => {}
        }
    }
    Ok(())
}

/// Asks the guards again, and answers how many withdrawals came off hold.
///
/// # Errors
/// When the database is away or refuses.
pub async fn pass(database: &Database, guard: &Guard, at: DateTime<Utc>) -> Result<usize, store::Error> {
    let mut tx = database.begin().await?;
    let ids = withdrawals::held_because(&mut tx, &words(), BATCH).await?;
    if ids.is_empty() {
        return Ok(0);
    }
    let mut cases = Cases::lock(&mut tx, &ids, at).await?;
    let closed = closed(&mut tx, &cases, &guard.vault).await?;
    let mut freed = 0;
    for id in cases.ids() {
        let on_hold = cases.get(id).is_some_and(is_held);
        let free = cases.account_of(id).is_some_and(|account| obstacle_of(account).is_none());
        if on_hold && free && !closed.contains(&id) {
            let_go(&mut cases, id, &guard.policy, (WORKER, None));
            freed += 1;
        }
    }
    cases.write(&mut tx, WORKER).await?;
    failpoint!("holds.written");
    tx.commit().await?;
    failpoint!("holds.committed");
    Ok(freed)
}

/// Whether there is something to let go: the withdrawal, or a leg of it beside
/// one that waits for people (R17: no leg waits for another).
fn is_held(case: &Case) -> bool {
    match case.withdrawal.state {
        WithdrawalState::OnHold => true,
        WithdrawalState::ActionRequired => case.live().any(|leg| leg.state == LegState::Held),
        _ => false,
    }
}

/// The cases with a held leg whose payee's number still cannot be opened.
async fn closed(tx: &mut Tx, cases: &Cases, vault: &Vault) -> Result<BTreeSet<Uuid>, store::Error> {
    let mut payees: Vec<(Uuid, Uuid)> = Vec::new();
    for id in cases.ids() {
        let case = cases.get(id).expect("an id of the cases in hand");
        if case.withdrawal.held_because.as_deref() == Some(PAYEE_UNREADABLE) {
            let held = case.legs.iter().filter(|leg| leg.state == LegState::Held);
            payees.extend(held.filter_map(|leg| Some((leg.bank_account_id?, id))));
        }
    }
    let ids: Vec<Uuid> = payees.iter().map(|(payee, _)| *payee).collect();
    let unreadable = bank_accounts::open(tx, vault, &ids).await?.unreadable;
    let shut = |payee: &Uuid| unreadable.iter().any(|(it, _)| it == payee);
    Ok(payees.into_iter().filter(|(payee, _)| shut(payee)).map(|(_, case)| case).collect())
}

/// R7: a bank leg that comes off hold goes out at the next cut-off; its deadline stays.
///
/// # Panics
/// When the withdrawal is not in hand, which callers have checked.
pub(crate) fn let_go(cases: &mut Cases, id: Uuid, policy: &PayoutPolicy, (by, note): (&str, Option<&str>)) {
    let withdrawal = cases.withdrawal_mut(id).expect("the case is in hand");
    withdrawal.held_because = None;
    if withdrawal.held_from == Some(WithdrawalState::PendingApproval) {
        cases
            .move_withdrawal(id, WithdrawalEvent::ReleaseToPending, by, note)
            .expect("what is on hold can be let go");
        cases.nudge(APPROVALS, id, id);
        return;
    }
    let at = cases.at();
    let held: Vec<Uuid> = cases
        .get(id)
        .expect("the case is in hand")
        .legs
        .iter()
        .filter(|leg| leg.state == LegState::Held)
        .map(|leg| leg.id)
        .collect();
    for leg in held {
        cases.move_leg(leg, LegEvent::Unhold, by, note).expect("a held leg can be let go");
        let leg = cases.leg_mut(leg).expect("the leg is in hand");
        leg.dispatch_at = leg.dispatch_at.max(Some(policy.times_of(leg.rail, at).dispatch_at));
        leg.nudged_at = None;
        if leg.attempts == 0 {
            leg.execute_on = leg.dispatch_at.map(date_in_shanghai);
        }
    }
}
