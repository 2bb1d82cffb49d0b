//! Bank details that come after the request (R11): a version of their own, and
//! an end to every approval of the version before.
//!
//! ```text
//! awaiting_details ── complete ─▶ pending_approval ◀── revise ── approved, nothing sent yet
//!                                  └── revise ──▶ (itself, with another effect)
//! action_required ── revise ─▶ (itself): the slices that left their route go there, see [`redirect`]
//! ```

use std::collections::{BTreeMap, HashMap};

use broker::contract::{PartialBankAccount, Problem, WithdrawalDetails};
use broker::topology::APPROVALS;
use domain::{LegEvent, LegState, Rail, Reason, Slice, WithdrawalEvent, WithdrawalState, judge_details};
use store::bank_accounts::{self, BankAccount, Version};
use store::legs::Leg;
use store::top_ups::TopUp;
use store::{Tx, top_ups};
use uuid::Uuid;

use super::refusal::Refusal;
use super::{Desk, Refused, redirect};
use crate::cases::{Case, Cases};
use crate::effect::effect_digest;
use crate::intake::{bank_account, card, problem, slice_of};

/// What is known of the receiving accounts of the withdrawals in hand.
#[derive(Debug, Default)]
pub(super) struct Book {
    /// The versions of each withdrawal: number and bank account.
    versions: BTreeMap<Uuid, Vec<(i32, Uuid)>>,
    /// The top-ups behind the legs.
    top_ups: HashMap<Uuid, TopUp>,
    /// Versions that came now and are to be written.
    pub(super) new: Vec<BankAccount>,
}

impl Book {
    /// Reads what the details of these withdrawals are judged by.
    pub(super) async fn read(tx: &mut Tx, cases: &Cases, ids: &[Uuid]) -> Result<Self, store::Error> {
        let mut book = Self::default();
        if ids.is_empty() {
            return Ok(book);
        }
        for known in bank_accounts::versions(tx, ids).await? {
            let Some(version) = known.version else { continue };
            book.versions.entry(version.withdrawal_id).or_default().push((version.number, known.id));
        }
        let legs = ids.iter().filter_map(|id| cases.get(*id)).flat_map(|case| &case.legs);
        let wanted: Vec<Uuid> = legs.map(|leg| leg.top_up_id).collect();
        let rows = top_ups::by_ids(tx, &wanted).await?;
        book.top_ups = rows.into_iter().map(|it| (it.id, it)).collect();
        Ok(book)
    }

    /// The newest version of a withdrawal's details; 0 when there is none.
    pub(super) fn newest(&self, id: Uuid) -> i32 {
        self.versions.get(&id).into_iter().flatten().map(|(number, _)| *number).max().unwrap_or_default()
    }

    /// A top-up behind a leg.
    pub(super) fn top_up(&self, id: Uuid) -> Option<&TopUp> {
        self.top_ups.get(&id)
    }

    /// Adds a version that came now.
    pub(super) fn add(&mut self, id: Uuid, account: BankAccount) {
        let number = account.version.as_ref().map_or(0, |it| it.number);
        self.versions.entry(id).or_default().push((number, account.id));
        self.new.push(account);
    }

    /// The legs whose payee the customer names: those that go to a bank account
    /// which is not the stored source of their top-up (R8).
    fn chosen<'a>(&self, case: &'a Case) -> Vec<&'a Leg> {
        let ours = self.versions.get(&case.withdrawal.id);
        let named = |payee: Uuid| ours.into_iter().flatten().any(|(_, it)| *it == payee);
        let chosen = |leg: &&Leg| leg.rail == Rail::Bank && leg.bank_account_id.is_none_or(named);
        case.live().filter(chosen).collect()
    }

    /// Every reason against paying to this account (R8, R11, R12).
    fn judge(&self, cases: &Cases, case: &Case, given: &PartialBankAccount) -> Refused {
        let chosen = self.chosen(case);
        let rows = chosen.iter().filter_map(|leg| self.top_ups.get(&leg.top_up_id));
        let slices: Vec<Slice> = rows.map(slice_of).collect();
        let real_name = cases.account_of(case.withdrawal.id).map(|it| it.real_name.as_str());
        let reasons = judge_details(&card(given), &slices, real_name.unwrap_or_default());
        reasons.iter().map(|reason| of_details(reason, case)).collect()
    }
}

/// A reason as the sender of details reads it. Their message names no top-ups,
/// so that a reason about one has no place in it.
pub(super) fn of_details(reason: &Reason, case: &Case) -> Problem {
    let problem = problem(reason, case.withdrawal.currency);
    match reason {
        Reason::TransactionIneligible { .. } => Problem { pointer: None, ..problem },
        _ => problem,
    }
}

/// Puts new details in the place of the old ones.
///
/// # Errors
/// Every reason for which they are refused; nothing changed then.
pub(super) fn apply(
    cases: &mut Cases,
    book: &mut Book,
    wish: &WithdrawalDetails,
    desk: &Desk,
) -> Result<(), Refused> {
    let id = wish.withdrawal_id;
    let case = cases.get(id).ok_or_else(|| vec![Refusal::UnknownWithdrawal.problem()])?;
    let event = event_of(case).map_err(|refusal| vec![refusal.problem()])?;
    let newest = book.newest(id);
    if wish.expected_version.is_some_and(|it| i64::from(it) != i64::from(newest)) {
        return Err(vec![Refusal::DetailsChanged.problem()]);
    }
    if case.withdrawal.state == WithdrawalState::ActionRequired {
        return redirect::apply(cases, book, wish, desk);
    }
    let reasons = book.judge(cases, case, &wish.bank_account);
    if !reasons.is_empty() {
        return Err(reasons);
    }
    let legs: Vec<Uuid> = book.chosen(case).iter().map(|leg| leg.id).collect();
    let version = Version { withdrawal_id: id, number: newest + 1, given_by: wish.actor.as_str().to_owned() };
    let account = bank_account(&case.withdrawal.account_id, &wish.bank_account, version);
    let last_four = wish.bank_account.number.as_ref().map(|it| it.last_four().to_owned());
    for leg in legs {
        let leg = cases.leg_mut(leg).expect("the leg is in hand");
        leg.bank_account_id = Some(account.id);
        leg.payee_last_four.clone_from(&last_four);
    }
    turn_back(cases, id, event, (wish.actor.as_str(), newest + 1));
    wait_for_approval(cases, id, account.id, desk);
    book.add(id, account);
    Ok(())
}

/// What new details mean to a withdrawal where it stands.
fn event_of(case: &Case) -> Result<WithdrawalEvent, Refusal> {
    use WithdrawalState as S;
    match case.withdrawal.state {
        S::AwaitingDetails => Ok(WithdrawalEvent::Complete),
        S::PendingApproval | S::Approved | S::OnHold => {
            let unsent = |leg: &Leg| {
                let waits = matches!(leg.state, LegState::Planned | LegState::Scheduled | LegState::Held);
                waits && leg.attempts == 0
            };
            // One number is never sent with two payees, whatever became of the first send.
            if case.legs.iter().all(unsent) {
                Ok(WithdrawalEvent::Revise)
            } else {
                Err(Refusal::AlreadyDispatched)
            }
        }
        S::ActionRequired if !case.redirected().is_empty() => Ok(WithdrawalEvent::Revise),
        S::Processing | S::ActionRequired => Err(Refusal::AlreadyDispatched),
        _ => Err(Refusal::TooLate),
    }
}

/// Moves the withdrawal, and takes back the times that an approval gave its legs.
fn turn_back(cases: &mut Cases, id: Uuid, event: WithdrawalEvent, (by, version): (&str, i32)) {
    let note = format!("bank details, version {version}");
    cases.move_withdrawal(id, event, by, Some(&note)).expect("the state was looked at under its lock");
    let case = cases.get(id).expect("the case is in hand");
    let scheduled = |leg: &&Leg| matches!(leg.state, LegState::Scheduled | LegState::Held);
    let legs: Vec<Uuid> = case.legs.iter().filter(scheduled).map(|leg| leg.id).collect();
    for leg in legs {
        cases.move_leg(leg, LegEvent::Unschedule, by, None).expect("a leg that waits can be taken back");
        let leg = cases.leg_mut(leg).expect("the leg is in hand");
        leg.dispatch_at = None;
        leg.execute_on = None;
        leg.nudged_at = None;
        leg.deadline_at = None;
        leg.deadline_provisional = false;
    }
}

/// The withdrawal as it waits for people, or for the rule, with its new effect.
fn wait_for_approval(cases: &mut Cases, id: Uuid, payee: Uuid, desk: &Desk) {
    let until = cases.at() + desk.approval_wait;
    let withdrawal = cases.withdrawal_mut(id).expect("the case is in hand");
    withdrawal.bank_account_id = Some(payee);
    withdrawal.approved_at = None;
    withdrawal.deadline_at = None;
    withdrawal.deadline_provisional = false;
    let state = withdrawal.state;
    if state == WithdrawalState::OnHold {
        withdrawal.held_from = Some(WithdrawalState::PendingApproval);
    }
    // Whoever changes details again and again gets no more time by it.
    withdrawal.expires_at = match withdrawal.expires_at {
        Some(known) if withdrawal.effect_digest.is_some() => Some(known),
        _ => Some(until),
    };
    let case = cases.get(id).expect("the case is in hand");
    let effect = effect_digest(&case.withdrawal, &case.legs);
    cases.withdrawal_mut(id).expect("the case is in hand").effect_digest = Some(effect);
    if state == WithdrawalState::PendingApproval {
        cases.nudge(APPROVALS, id, id);
    }
}
