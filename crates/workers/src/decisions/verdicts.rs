//! What people decide: to pay, not to pay, to take it back, to stop it for now,
//! to let it go on.

use broker::contract::{Decision as Wish, WithdrawalDecided};
use domain::{LegEvent, LegState, WithdrawalEvent, WithdrawalState};
use store::decisions::Verdict;
use store::legs::Leg;
use uuid::Uuid;

use super::Desk;
use super::quorum::Quorums;
use super::refusal::Refusal;
use crate::approval::{self, approve, obstacle_of};
use crate::cases::Cases;
use crate::holds;

/// Applies one decision to the cases in hand.
pub(super) fn apply(
    cases: &mut Cases,
    quorums: &mut Quorums,
    wish: &WithdrawalDecided,
    desk: &Desk,
) -> Result<(), Refusal> {
    let id = wish.withdrawal_id;
    let by = (wish.actor.as_str(), wish.reason.as_str());
    let withdrawal = &cases.get(id).ok_or(Refusal::UnknownWithdrawal)?.withdrawal;
    let effect = withdrawal.effect_digest.as_deref().map(hex::encode);
    let other = wish.effect_digest.as_ref().is_some_and(|it| effect.as_deref() != Some(it.as_str()));
    // What is over is over, whatever effect was seen.
    if other && !withdrawal.state.is_final() {
        return Err(Refusal::EffectChanged);
    }
    match wish.decision {
        Wish::Approve => agree(cases, quorums, (id, by), desk),
        Wish::Deny => give_back(cases, id, WithdrawalEvent::Deny, by),
        Wish::Cancel => give_back(cases, id, WithdrawalEvent::Cancel, by),
        Wish::Hold => stop(cases, id, by),
        Wish::Release => let_go(cases, (id, by), desk),
    }
}

/// One person agrees to pay. The last one who is needed starts its clocks, unless
/// R2 or R4 stands against it by now: then it goes on hold, and the approvals stay.
fn agree(
    cases: &mut Cases,
    quorums: &mut Quorums,
    (id, (actor, reason)): (Uuid, (&str, &str)),
    desk: &Desk,
) -> Result<(), Refusal> {
    let case = cases.get(id).ok_or(Refusal::UnknownWithdrawal)?;
    if !case.awaits_approval() {
        return Err(Refusal::TooLate);
    }
    let rerouted = case.withdrawal.state == WithdrawalState::ActionRequired;
    if case.withdrawal.requester == actor {
        return Err(Refusal::RequesterCannotApprove);
    }
    if quorums.add(case, actor, &desk.policy)? {
        match cases.account_of(id).and_then(obstacle_of) {
            // Its other legs may be under way, so it is not put on hold.
            Some(_) if rerouted => return Err(Refusal::StillObstructed),
            Some(obstacle) => approval::hold(cases, id, obstacle),
            None => approve(cases, id, &desk.policy, actor, Some(reason)),
        }
    }
    Ok(())
}

/// Ends a withdrawal that nothing of has been dispatched, and releases its money.
/// Of one with rerouted legs it ends those (R6c): nothing else is left to decide.
///
/// A cancel wins or loses cleanly against the first dispatch: both hold the
/// lock of the withdrawal, and the later one finds the other's states. A leg that
/// was ever in doubt has been dispatched, wherever it stands now.
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
    let untouched = |leg: &Leg| {
        matches!(leg.state, LegState::Planned | LegState::Scheduled | LegState::Held)
            && leg.doubted_at.is_none()
    };
    if !case.live().all(untouched) {
        return Err(Refusal::TooLate);
    }
    let legs: Vec<Uuid> = case.live().map(|leg| leg.id).collect();
    cases.move_withdrawal(id, event, by, Some(note)).map_err(|_| Refusal::TooLate)?;
    for leg in legs {
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

/// A person stops what was not sent yet. What is under way is not called back.
fn stop(cases: &mut Cases, id: Uuid, (actor, reason): (&str, &str)) -> Result<(), Refusal> {
    let case = cases.get(id).ok_or(Refusal::UnknownWithdrawal)?;
    let state = case.withdrawal.state;
    if state == WithdrawalState::PendingApproval {
        cases
            .move_withdrawal(id, WithdrawalEvent::Hold, actor, Some(reason))
            .map_err(|_| Refusal::TooLate)?;
    } else {
        let waiting = case.legs.iter().filter(|leg| leg.state == LegState::Scheduled);
        let legs: Vec<Uuid> = waiting.map(|leg| leg.id).collect();
        // A guard's hold becomes a person's, and no longer ends by itself.
        let takes_over = state == WithdrawalState::OnHold
            && holds::ends_by_itself(case.withdrawal.held_because.as_deref());
        if legs.is_empty() && !takes_over {
            return Err(if state.is_final() { Refusal::TooLate } else { Refusal::NothingToHold });
        }
        for leg in legs {
            cases.move_leg(leg, LegEvent::Hold, actor, Some(reason)).expect("a scheduled leg can be held");
        }
    }
    let withdrawal = cases.withdrawal_mut(id).expect("the case is in hand");
    // No word of a guard looks like this, so no guard ever lifts it.
    withdrawal.held_because = Some(format!("{actor}: {reason}"));
    Ok(())
}

/// A person ends a stop, his own or a guard's whose obstacle is gone.
fn let_go(
    cases: &mut Cases,
    (id, (actor, reason)): (Uuid, (&str, &str)),
    desk: &Desk,
) -> Result<(), Refusal> {
    let at = cases.at();
    let case = cases.get(id).ok_or(Refusal::UnknownWithdrawal)?;
    let held = case.legs.iter().any(|leg| leg.state == LegState::Held);
    if case.withdrawal.state.is_final() {
        return Err(Refusal::TooLate);
    }
    if case.withdrawal.state != WithdrawalState::OnHold && !held {
        return Err(Refusal::NotOnHold);
    }
    if case.withdrawal.requester == actor {
        return Err(Refusal::RequesterCannotApprove);
    }
    if cases.account_of(id).and_then(obstacle_of).is_some() {
        return Err(Refusal::StillObstructed);
    }
    holds::let_go(cases, id, &desk.policy, (actor, Some(reason)));
    let withdrawal = cases.withdrawal_mut(id).expect("the case is in hand");
    // A wait that ended during the stop would end the withdrawal at once.
    if withdrawal.expires_at.is_some_and(|it| it <= at) {
        withdrawal.expires_at = Some(at + desk.approval_wait);
    }
    Ok(())
}

/// The word under which a decision is kept.
pub(super) const fn verdict(wish: Wish) -> Verdict {
    match wish {
        Wish::Approve => Verdict::Approve,
        Wish::Deny => Verdict::Deny,
        Wish::Cancel => Verdict::Cancel,
        Wish::Hold => Verdict::Hold,
        Wish::Release => Verdict::Release,
    }
}
