//! The life of one leg: one top-up slice on its way to one destination (R17).
//!
//! ```text
//! planned ─▶ scheduled ─▶ dispatching ─▶ submitted ─▶ paid ─▶ settled
//!                ▲            │  │           │          └─▶ returned
//!                │            │  └▶ failed ◀─┤                 │
//!                ├── again ───┼─────┘  └─────┼─▶ released ◀────┤
//!                └── again ── unknown ───────┘ └▶ rerouting ◀──┘
//!
//! rerouting ─▶ a leg of the next generation, planned ─▶ … · released · canceled
//! ```
//!
//! The picture that matters: from `dispatching` an answer that is not certain
//! leads to `unknown` and nowhere else, and only a certain one leads out of it.
//! A leg that is rerouting stays so for good once another generation took its
//! place; until then its slice can still be given back.

use strum::{Display, EnumIter, EnumString, IntoStaticStr};

/// Where a leg stands. The text form is the wire's and the database's.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Display, EnumString, EnumIter, IntoStaticStr,
)]
#[strum(serialize_all = "snake_case")]
pub enum LegState {
    /// Money is held; the withdrawal is not approved.
    Planned,
    /// Approved; goes out at its dispatch time.
    Scheduled,
    /// Claimed by a payout worker; its attempt row is committed; the call may be under way.
    Dispatching,
    /// The gateway has it and will say later.
    Submitted,
    /// The gateway confirmed that the money left.
    Paid,
    /// Definitely refused, by the gateway or before the call. Passed through on the way to what follows.
    Failed,
    /// The money may or may not have left. Only the gateway can say.
    Unknown,
    /// Found in the channel's statement. Final unless returned.
    Settled,
    /// Refused by its route, or returned by its payee; a new generation to a bank card takes its place.
    Rerouting,
    /// The money went back to its top-up. Final.
    Released,
    /// Paid, and then the money came back.
    Returned,
    /// Stopped by a person or a guard before the dispatch.
    Held,
    /// Taken back before the dispatch; the money went back to its top-up. Final.
    Canceled,
    /// Nobody but people with evidence can say what became of it.
    ManualReview,
}

/// What can happen to a leg.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Display, EnumString, EnumIter, IntoStaticStr,
)]
#[strum(serialize_all = "snake_case")]
pub enum LegEvent {
    /// The withdrawal was approved.
    Schedule,
    /// The approval is void, because other bank details arrived (R11).
    Unschedule,
    /// A payout worker claimed it.
    Dispatch,
    /// The gateway took it and is not done.
    Accept,
    /// The gateway confirmed the payment.
    Succeed,
    /// The gateway, or a guard before the call, definitely refused.
    Refuse,
    /// No answer, or none that can be trusted; a lost lease; a crash.
    Doubt,
    /// A query found nothing, the quiet period is over: the SAME key may go again.
    Absent,
    /// The horizon or the query budget is spent.
    GiveUp,
    /// A transient refusal: the SAME key, later.
    Retry,
    /// The route is closed for it: a new generation, a new key.
    Reroute,
    /// The money goes back to the top-up.
    Release,
    /// Matched in the channel's statement.
    Settle,
    /// The bank sent the money back.
    Return,
    /// A person or a guard stops it.
    Hold,
    /// The stop ends.
    Unhold,
    /// The requester takes it back.
    Cancel,
}

/// An event that the state does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a leg that is {state} cannot {event}")]
pub struct LegRefused {
    /// The state it is in.
    pub state: LegState,
    /// The event that came.
    pub event: LegEvent,
}

impl LegState {
    /// The state after `event`: the only place where a leg's move is decided.
    ///
    /// # Errors
    /// [`LegRefused`] for every pair that the table does not name.
    pub const fn on(self, event: LegEvent) -> Result<Self, LegRefused> {
        use LegEvent as E;
        match (self, event) {
            (Self::Planned, E::Schedule)
            | (Self::Unknown, E::Absent)
            | (Self::Failed, E::Retry)
            | (Self::Held, E::Unhold) => Ok(Self::Scheduled),
            (Self::Scheduled | Self::Held, E::Unschedule) => Ok(Self::Planned),
            (Self::Scheduled, E::Dispatch) => Ok(Self::Dispatching),
            (Self::Dispatching | Self::Unknown, E::Accept) => Ok(Self::Submitted),
            // A channel that refused can say later that it paid after all. The books then
            // follow the money, as long as nothing has taken the leg's place.
            (
                Self::Dispatching | Self::Unknown | Self::Submitted | Self::ManualReview | Self::Rerouting,
                E::Succeed,
            ) => Ok(Self::Paid),
            // A guard refuses what is scheduled (R6c, R18), the gateway what was sent.
            (
                Self::Scheduled | Self::Dispatching | Self::Unknown | Self::Submitted | Self::ManualReview,
                E::Refuse,
            ) => Ok(Self::Failed),
            (Self::Dispatching, E::Doubt) => Ok(Self::Unknown),
            (Self::Unknown | Self::Submitted, E::GiveUp) => Ok(Self::ManualReview),
            (Self::Failed | Self::Returned | Self::Scheduled, E::Reroute) => Ok(Self::Rerouting),
            // A new destination that nobody named, or that people denied, ends the slice too.
            (Self::Failed | Self::Returned | Self::Rerouting | Self::Planned, E::Release) => {
                Ok(Self::Released)
            }
            (Self::Paid, E::Settle) => Ok(Self::Settled),
            (Self::Paid | Self::Settled, E::Return) => Ok(Self::Returned),
            (Self::Scheduled, E::Hold) => Ok(Self::Held),
            (Self::Planned | Self::Scheduled | Self::Held | Self::Rerouting, E::Cancel) => Ok(Self::Canceled),
            (state, event) => Err(LegRefused { state, event }),
        }
    }

    /// The money of the slice is held: neither paid out nor back in its top-up.
    /// Asked of the newest generation of a slice.
    #[must_use]
    pub const fn holds_money(self) -> bool {
        !matches!(self, Self::Paid | Self::Settled | Self::Released | Self::Canceled)
    }
}

#[cfg(test)]
mod tests {
    use strum::IntoEnumIterator;

    use super::{LegEvent, LegState};

    /// Every move that exists. Every other pair is a refusal.
    const MOVES: &str = "
        planned       schedule scheduled
        planned       cancel   canceled
        planned       release  released
        scheduled     dispatch dispatching
        scheduled     refuse   failed
        scheduled     reroute  rerouting
        scheduled     hold     held
        scheduled     cancel   canceled
        scheduled     unschedule planned
        held          unschedule planned
        dispatching   accept   submitted
        dispatching   succeed  paid
        dispatching   refuse   failed
        dispatching   doubt    unknown
        submitted     succeed  paid
        submitted     refuse   failed
        submitted     give_up  manual_review
        unknown       accept   submitted
        unknown       succeed  paid
        unknown       refuse   failed
        unknown       absent   scheduled
        unknown       give_up  manual_review
        failed        retry    scheduled
        failed        reroute  rerouting
        failed        release  released
        paid          settle   settled
        paid          return   returned
        settled       return   returned
        returned      reroute  rerouting
        returned      release  released
        rerouting     release  released
        rerouting     cancel   canceled
        rerouting     succeed  paid
        held          unhold   scheduled
        held          cancel   canceled
        manual_review succeed  paid
        manual_review refuse   failed
    ";

    #[test]
    fn every_state_meets_every_event() {
        let mut actual: Vec<String> = Vec::new();
        for state in LegState::iter() {
            for event in LegEvent::iter() {
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
}
