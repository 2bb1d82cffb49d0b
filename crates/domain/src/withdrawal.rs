//! The life of one withdrawal, as one table of moves.
//!
//! ```text
//! Received ─▶ PendingApproval ─▶ Approved ─▶ Processing ─▶ Completed
//!    │  └▶ AwaitingDetails ─┘ └▶ Denied          │    └──▶ PartiallyCompleted
//!    └▶ Rejected   Expired ◀┘ └▶ Canceled        └───────▶ Failed
//! ```
//!
//! Up to the approval people and rules move it. After the approval its state is
//! a pure function of its legs ([`state_of_legs`]): there is no second truth.
//!
//! A leg that is rerouted makes it `ActionRequired` (R6c): new bank details, then
//! a new approval, which lead back to `Approved` and on by its legs.

use strum::{Display, EnumIter, EnumString, IntoStaticStr};

use crate::LegState;

/// Where a withdrawal stands. The text form is the wire's and the database's.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Display, EnumString, EnumIter, IntoStaticStr,
)]
#[strum(serialize_all = "snake_case")]
pub enum WithdrawalState {
    /// Read, not yet decided. Exists only inside the transaction of the intake.
    Received,
    /// A rule refused it; every reason is kept. Final.
    Rejected,
    /// Accepted and held; the receiving bank account is incomplete (R11).
    AwaitingDetails,
    /// Accepted and held; waits for people or a rule.
    PendingApproval,
    /// People refused it; the hold was released. Final.
    Denied,
    /// Nobody decided, or no details came, in time; the hold was released. Final.
    Expired,
    /// The requester took it back; the hold was released. Final.
    Canceled,
    /// May be paid. The clocks of R7 run.
    Approved,
    /// At least one leg is on its way.
    Processing,
    /// Every leg is paid. Final unless a bank returns money.
    Completed,
    /// Some legs are paid, the others were released. Final likewise.
    PartiallyCompleted,
    /// No leg is paid; everything was released. Final.
    Failed,
    /// Stopped by a person or a guard (R2, R4).
    OnHold,
    /// A leg needs details, an approval or a review.
    ActionRequired,
}

/// What can happen to a withdrawal.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Display, EnumString, EnumIter, IntoStaticStr,
)]
#[strum(serialize_all = "snake_case")]
pub enum WithdrawalEvent {
    /// A rule refuses it at intake.
    Reject,
    /// Planned and held, but bank details are missing.
    AcceptIncomplete,
    /// Planned and held.
    Accept,
    /// Valid bank details arrived.
    Complete,
    /// Other bank details arrived (R11): what was approved before is void.
    Revise,
    /// The quorum, or a rule, agrees.
    Approve,
    /// A person refuses.
    Deny,
    /// Time is up.
    Expire,
    /// The requester takes it back.
    Cancel,
    /// A person or a guard stops it.
    Hold,
    /// The stop ends before the approval was given.
    ReleaseToPending,
    /// The stop ends after the approval was given.
    ReleaseToApproved,
    /// R7b: a year's calendar came and a provisional deadline is counted again. The state stays.
    Recount,
}

/// An event that the state does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a withdrawal that is {state} cannot {event}")]
pub struct WithdrawalRefused {
    /// The state it is in.
    pub state: WithdrawalState,
    /// The event that came.
    pub event: WithdrawalEvent,
}

impl WithdrawalState {
    /// The state after `event`: the only place where such a move is decided.
    ///
    /// # Errors
    /// [`WithdrawalRefused`] for every pair that the table does not name.
    pub const fn on(self, event: WithdrawalEvent) -> Result<Self, WithdrawalRefused> {
        use WithdrawalEvent as E;
        match (self, event) {
            (Self::Received, E::Reject) => Ok(Self::Rejected),
            (Self::Received, E::AcceptIncomplete) => Ok(Self::AwaitingDetails),
            (Self::Received, E::Accept)
            | (Self::AwaitingDetails, E::Complete)
            | (Self::PendingApproval | Self::Approved, E::Revise)
            | (Self::OnHold, E::ReleaseToPending) => Ok(Self::PendingApproval),
            // R6c: a rerouted leg has another destination, which is approved anew.
            (Self::PendingApproval | Self::ActionRequired, E::Approve)
            | (Self::OnHold, E::ReleaseToApproved) => Ok(Self::Approved),
            (Self::PendingApproval, E::Deny) => Ok(Self::Denied),
            (Self::AwaitingDetails | Self::PendingApproval, E::Expire) => Ok(Self::Expired),
            (Self::AwaitingDetails | Self::PendingApproval | Self::Approved | Self::OnHold, E::Cancel) => {
                Ok(Self::Canceled)
            }
            // R11: new details void an approval, but they lift no hold.
            (Self::PendingApproval | Self::Approved, E::Hold) | (Self::OnHold, E::Revise) => Ok(Self::OnHold),
            (Self::ActionRequired, E::Revise)
            | (Self::Approved | Self::Processing | Self::OnHold | Self::ActionRequired, E::Recount) => {
                Ok(self)
            }
            (state, event) => Err(WithdrawalRefused { state, event }),
        }
    }

    /// It waits, for a limited time, for bank details or for a decision.
    #[must_use]
    pub const fn waits_for_people(self) -> bool {
        matches!(self, Self::AwaitingDetails | Self::PendingApproval | Self::ActionRequired)
    }

    /// Nothing more happens by itself, and no money is held for it.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(
            self,
            Self::Rejected
                | Self::Denied
                | Self::Expired
                | Self::Canceled
                | Self::Completed
                | Self::PartiallyCompleted
                | Self::Failed
        )
    }
}

/// The state of an approved withdrawal, from its legs alone.
///
/// `legs` are the live generation of each slice: a leg that was rerouted is
/// represented by its successor, which is planned until it is approved. An empty
/// slice of legs is `Approved`.
#[must_use]
pub fn state_of_legs(legs: &[LegState]) -> WithdrawalState {
    use LegState as L;
    let any = |wanted: &[L]| legs.iter().any(|leg| wanted.contains(leg));
    let all = |wanted: &[L]| legs.iter().all(|leg| wanted.contains(leg));
    if all(&[L::Scheduled]) {
        WithdrawalState::Approved
    } else if any(&[L::ManualReview, L::Rerouting, L::Returned, L::Planned]) {
        WithdrawalState::ActionRequired
    } else if all(&[L::Canceled]) {
        WithdrawalState::Canceled
    } else if any(&[L::Held]) {
        WithdrawalState::OnHold
    } else if all(&[L::Paid, L::Settled]) {
        WithdrawalState::Completed
    } else if all(&[L::Released, L::Canceled]) {
        WithdrawalState::Failed
    } else if all(&[L::Paid, L::Settled, L::Released, L::Canceled]) {
        WithdrawalState::PartiallyCompleted
    } else {
        WithdrawalState::Processing
    }
}

#[cfg(test)]
mod tests {
    use strum::IntoEnumIterator;

    use super::{WithdrawalEvent, WithdrawalState, state_of_legs};
    use crate::LegState;

    /// Every move that exists. Every other pair is a refusal.
    const MOVES: &str = "
        received         reject               rejected
        received         accept_incomplete    awaiting_details
        received         accept               pending_approval
        awaiting_details complete             pending_approval
        awaiting_details expire               expired
        awaiting_details cancel               canceled
        pending_approval approve              approved
        pending_approval deny                 denied
        pending_approval expire               expired
        pending_approval cancel               canceled
        pending_approval hold                 on_hold
        pending_approval revise               pending_approval
        approved         cancel               canceled
        approved         hold                 on_hold
        approved         revise               pending_approval
        on_hold          cancel               canceled
        on_hold          revise               on_hold
        on_hold          release_to_pending   pending_approval
        on_hold          release_to_approved  approved
        action_required  approve              approved
        action_required  revise               action_required
        approved         recount              approved
        processing       recount              processing
        on_hold          recount              on_hold
        action_required  recount              action_required
    ";

    #[test]
    fn every_state_meets_every_event() {
        let mut actual: Vec<String> = Vec::new();
        for state in WithdrawalState::iter() {
            for event in WithdrawalEvent::iter() {
                if let Ok(next) = state.on(event) {
                    actual.push(format!("{state} {event} {next}"));
                }
            }
        }
        let mut expected: Vec<String> = MOVES
            .lines()
            .filter(|line| !line.trim().is_empty())
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        actual.sort();
        expected.sort();
        assert_eq!(actual, expected);
    }

    #[test]
    fn r17_the_legs_alone_say_where_an_approved_withdrawal_stands() {
        for (legs, expected) in [
            ("scheduled scheduled", "approved"),
            ("dispatching scheduled", "processing"),
            ("paid scheduled", "processing"),
            ("unknown paid", "processing"),
            ("failed paid", "processing"),
            ("paid settled", "completed"),
            ("paid released", "partially_completed"),
            ("released released", "failed"),
            ("canceled canceled", "canceled"),
            ("manual_review paid", "action_required"),
            ("returned paid", "action_required"),
            ("rerouting scheduled", "action_required"),
            ("planned", "action_required"),
            ("planned paid", "action_required"),
            ("scheduled canceled", "processing"),
            ("held scheduled", "on_hold"),
        ] {
            let states: Vec<LegState> =
                legs.split(' ').map(|leg| leg.parse().expect("a leg state of the table")).collect();
            assert_eq!(state_of_legs(&states).to_string(), expected, "{legs}");
        }
    }
}
