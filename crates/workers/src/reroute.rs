//! Rerouting (R6c): a slice whose way is closed for good, or whose payment came
//! back, goes to a bank account instead.
//!
//! ```text
//! rerouting ─▶ bank details (given, or awaited) ─▶ a planned leg: next generation, new number ─▶ approval ─▶ …
//!      └────── nobody gives them in time, denied, taken back ─▶ the slice goes back to its top-up
//! ```
//!
//! A new number is minted only after a definite negative: the table of moves has
//! no other way into `rerouting`, and a unique index lets one leg alone take the
//! place of another.

use std::collections::HashMap;

use broker::topology::APPROVALS;
use chrono::TimeDelta;
use domain::{Card, Detail, LegState, Policy, Rail, judge_details};
use store::bank_accounts::{self, Masked};
use store::legs::Leg;
use store::top_ups::TopUp;
use store::{Tx, top_ups};
use tracing::info;
use uuid::Uuid;

use crate::cases::Cases;
use crate::effect::effect_digest;
use crate::intake::{payout_no, slice_of};

/// The bank account to which a slice goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Payee {
    /// Its row.
    pub(crate) account_id: Uuid,
    /// The end of its number.
    pub(crate) last_four: Option<String>,
}

/// Makes something of the legs that left their route in this transaction: where
/// the withdrawal has bank details that fit, their successors wait for an
/// approval; the others wait for details.
///
/// # Errors
/// When the database is away.
pub(crate) async fn take_up(
    tx: &mut Tx,
    cases: &mut Cases,
    policy: &Policy,
    by: &str,
) -> Result<(), store::Error> {
    let legs = cases.take_rerouted();
    if legs.is_empty() {
        return Ok(());
    }
    let mut given = given(tx, cases, &legs).await?;
    for leg in legs {
        let id = cases.leg(leg).expect("a leg that was moved is in hand").withdrawal_id;
        promise_nothing(cases, leg, id);
        match given.remove(&leg) {
            Some(payee) => {
                succeed(cases, leg, &payee, by);
                renew_effect(cases, id);
                wait(cases, id, policy.approval_wait);
                cases.nudge(APPROVALS, id, id);
            }
            None => wait(cases, id, policy.details_wait),
        }
        info!(%leg, withdrawal = %id, "A leg left its route for good; its slice takes another way");
    }
    Ok(())
}

/// R7: until another way is approved, nobody can say when this money arrives.
fn promise_nothing(cases: &mut Cases, leg: Uuid, id: Uuid) {
    let left = cases.leg_mut(leg).expect("a leg that was moved is in hand");
    left.deadline_at = None;
    left.deadline_provisional = false;
    let latest = cases.get(id).expect("the withdrawal of a leg in hand").latest_deadline();
    let withdrawal = cases.withdrawal_mut(id).expect("the withdrawal of a leg in hand");
    withdrawal.deadline_at = latest.map(|(at, _)| at);
    withdrawal.deadline_provisional = latest.is_some_and(|(_, provisional)| provisional);
}

/// The bank details that the withdrawals of these legs have already, where they
/// fit the leg's slice (R12) and are not those that have just failed.
async fn given(tx: &mut Tx, cases: &Cases, legs: &[Uuid]) -> Result<HashMap<Uuid, Payee>, store::Error> {
    let mut wanted: Vec<(&Leg, Uuid)> = Vec::new();
    for leg in legs.iter().filter_map(|id| cases.leg(*id)) {
        let current = cases.get(leg.withdrawal_id).and_then(|case| case.withdrawal.bank_account_id);
        if let Some(account) = current.filter(|it| leg.bank_account_id != Some(*it)) {
            wanted.push((leg, account));
        }
    }
    if wanted.is_empty() {
        return Ok(HashMap::new());
    }
    let ids: Vec<Uuid> = wanted.iter().map(|(_, account)| *account).collect();
    let accounts: HashMap<Uuid, Masked> =
        bank_accounts::masked(tx, &ids).await?.into_iter().map(|it| (it.id, it)).collect();
    let ids: Vec<Uuid> = wanted.iter().map(|(leg, _)| leg.top_up_id).collect();
    let rows: HashMap<Uuid, TopUp> =
        top_ups::by_ids(tx, &ids).await?.into_iter().map(|it| (it.id, it)).collect();
    let fits = |(leg, account): (&Leg, Uuid)| {
        let (account, row) = (accounts.get(&account)?, rows.get(&leg.top_up_id)?);
        let real_name = cases.account_of(leg.withdrawal_id).map(|it| it.real_name.as_str());
        let reasons = judge_details(&card(account), &[slice_of(row)], real_name.unwrap_or_default());
        let payee = Payee { account_id: account.id, last_four: Some(account.last_four.clone()) };
        reasons.is_empty().then_some((leg.id, payee))
    };
    Ok(wanted.into_iter().filter_map(fits).collect())
}

/// A stored bank account as the rules see it; an empty field is a missing one.
fn card(account: &Masked) -> Card {
    let missing = [
        (Detail::Holder, &account.holder),
        (Detail::Number, &account.last_four),
        (Detail::BankName, &account.bank_name),
        (Detail::Branch, &account.branch),
        (Detail::Cnaps, &account.cnaps),
    ];
    Card {
        holder: Some(account.holder.clone()).filter(|it| !it.is_empty()),
        missing: missing.into_iter().filter_map(|(detail, it)| it.is_empty().then_some(detail)).collect(),
    }
}

/// Puts a leg of the next generation in the place of a rerouting one: the same
/// slice and amount, the bank rail, and a payout number of its own.
///
/// # Panics
/// When the leg is not in hand, not rerouting, or has a successor already, which
/// callers have checked.
pub(crate) fn succeed(cases: &mut Cases, id: Uuid, payee: &Payee, by: &str) {
    let at = cases.at();
    let old = cases.leg(id).expect("the leg is in hand");
    assert_eq!(old.state, LegState::Rerouting, "only a leg that left its route has a successor");
    let new = Uuid::now_v7();
    let leg = Leg {
        id: new,
        generation: old.generation + 1,
        predecessor_id: Some(id),
        rail: Rail::Bank,
        bank_account_id: Some(payee.account_id),
        payee_last_four: payee.last_four.clone(),
        payout_no: payout_no(new),
        minted_at: at,
        state: LegState::Planned,
        sequence: 1,
        dispatch_at: None,
        execute_on: None,
        nudged_at: None,
        deadline_at: None,
        deadline_provisional: false,
        lease_until: None,
        attempts: 0,
        queries: 0,
        asked: 0,
        check_at: None,
        doubted_at: None,
        reference: None,
        code: None,
        detail: None,
        paid_at: None,
        ..old.clone()
    };
    let note = format!("in the place of {}", old.payout_no);
    cases.add_leg(leg, by, &note);
}

/// The withdrawal's effect as it is now; every approval of another one is void.
///
/// # Panics
/// When the withdrawal is not in hand, which callers have checked.
pub(crate) fn renew_effect(cases: &mut Cases, id: Uuid) {
    let case = cases.get(id).expect("the case is in hand");
    let effect = effect_digest(&case.withdrawal, &case.legs);
    cases.withdrawal_mut(id).expect("the case is in hand").effect_digest = Some(effect);
}

/// Gives people this long, from now, for what the withdrawal waits for. A time
/// that was given already is not cut short.
pub(crate) fn wait(cases: &mut Cases, id: Uuid, wait: TimeDelta) {
    let until = Some(cases.at() + wait);
    let withdrawal = cases.withdrawal_mut(id).expect("the case is in hand");
    withdrawal.expires_at = withdrawal.expires_at.max(until);
}
