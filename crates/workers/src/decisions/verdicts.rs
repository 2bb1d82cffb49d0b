//! What people decide: to pay, not to pay, or to take it back.

use std::collections::BTreeSet;

use broker::contract::{Decision as Wish, WithdrawalDecided};
use domain::{LegEvent, LegState, WithdrawalEvent};
use store::decisions::Verdict;
use uuid::Uuid;

use super::refusal::Refusal;
use crate::PayoutPolicy;
use crate::approval::approve;
use crate::cases::Cases;

/// Applies one decision to the cases in hand. `approvers` are those whose
/// approvals of this withdrawal stand; one that takes effect joins them.
pub(super) fn apply(
    cases: &mut Cases,
    approvers: &mut BTreeSet<String>,
    wish: &WithdrawalDecided,
    policy: &PayoutPolicy,
) -> Result<(), Refusal> {
    let id = wish.withdrawal_id;
    let (actor, reason) = (wish.actor.as_str(), wish.reason.as_str());
    let case = cases.get(id).ok_or(Refusal::UnknownWithdrawal)?;
    let withdrawal = &case.withdrawal;
    match wish.decision {
        Wish::Approve => {
            if !case.awaits_approval() {
                return Err(Refusal::TooLate);
            }
            if withdrawal.requester == actor {
                return Err(Refusal::RequesterCannotApprove);
            }
            let effect = withdrawal.effect_digest.as_deref().map(hex::encode);
            if wish.effect_digest.as_ref().is_some_and(|it| effect.as_deref() != Some(it.as_str())) {
                return Err(Refusal::EffectChanged);
            }
            if !approvers.insert(actor.to_owned()) {
                return Err(Refusal::AlreadyApproved);
            }
            if approvers.len() >= policy.approvers {
                approve(cases, id, policy, actor, Some(reason));
            }
            Ok(())
        }
        Wish::Deny => give_back(cases, id, WithdrawalEvent::Deny, (actor, reason)),
        Wish::Cancel => give_back(cases, id, WithdrawalEvent::Cancel, (actor, reason)),
    }
}

/// Ends a withdrawal that nothing of has been dispatched, and releases its money.
/// Of one with rerouted legs it ends those (R6c): nothing else is left to decide.
///
/// A cancel wins or loses cleanly against the first dispatch: both hold the
/// lock of the withdrawal, and the later one finds the other's states.
pub(crate) fn give_back(
    cases: &mut Cases,
    id: Uuid,
    event: WithdrawalEvent,
    (by, note): (&str, &str),
) -> Result<(), Refusal> {
    let case = cases.get(id).ok_or(Refusal::UnknownWithdrawal)?;
    if case.withdrawal.approved_at.is_some() && !case.redirected().is_empty() {
        give_back_redirected(cases, id, event, (by, note));
        return Ok(());
    }
    let legs: Vec<(Uuid, LegState)> = case.live().map(|leg| (leg.id, leg.state)).collect();
    let untouched =
        |state: &LegState| matches!(state, LegState::Planned | LegState::Scheduled | LegState::Held);
    if !legs.iter().all(|(_, state)| untouched(state)) {
        return Err(Refusal::TooLate);
    }
    cases.move_withdrawal(id, event, by, Some(note)).map_err(|_| Refusal::TooLate)?;
    for (leg, _) in legs {
        cases.move_leg(leg, LegEvent::Cancel, by, None).expect("an untouched leg can be canceled");
    }
    Ok(())
}

/// Gives the slices that have no approved destination back to their top-ups. What
/// the withdrawal becomes by it follows from its legs.
fn give_back_redirected(cases: &mut Cases, id: Uuid, event: WithdrawalEvent, (by, note): (&str, &str)) {
    let leg_event = if event == WithdrawalEvent::Cancel { LegEvent::Cancel } else { LegEvent::Release };
    let case = cases.get(id).expect("the case is in hand");
    let slices: Vec<Uuid> = case.redirected().iter().map(|leg| leg.id).collect();
    for leg in slices {
        cases
            .move_leg(leg, leg_event, by, Some(note))
            .expect("a slice without a destination can be given back");
    }
}

/// The word under which a decision is kept.
pub(super) const fn verdict(wish: Wish) -> Verdict {
    match wish {
        Wish::Approve => Verdict::Approve,
        Wish::Deny => Verdict::Deny,
        Wish::Cancel => Verdict::Cancel,
    }
}
