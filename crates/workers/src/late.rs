//! Late effects: a gateway says that money moved for a leg that had ended otherwise.
//!
//! Nothing is paid twice by it: a leg that takes the place of one that was paid
//! after all is not sent. And nothing is hidden: the word is kept for ever, shown
//! with the withdrawal, and logged as something that people must look at.

use domain::{LegEvent, LegState};
use store::late_effects::{Claim, LateEffect, ToldBy};
use store::legs::Leg;
use tracing::{error, warn};
use uuid::Uuid;

use crate::cases::Cases;

/// The word of the guard that keeps a leg whose predecessor was paid after all.
pub(crate) const PREDECESSOR_PAID: &str = "predecessor_paid";

/// What was made of a late word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Late {
    /// Nothing had taken the leg's place: it is paid, as its gateway says.
    Followed,
    /// It is kept for people.
    Kept,
}

/// Whether a word about this leg contradicts what is known of it. A leg that was
/// paid before it ended as it did is spoken of rightly.
pub(crate) const fn speaks_of_the_past(leg: &Leg) -> bool {
    let ended =
        matches!(leg.state, LegState::Failed | LegState::Released | LegState::Canceled | LegState::Rerouting);
    ended && leg.paid_at.is_none()
}

/// Makes something of a late word, and says what.
///
/// # Panics
/// When the leg is not in hand, which callers have checked.
pub(crate) fn late_effect(
    cases: &mut Cases,
    id: Uuid,
    claim: Claim,
    (told_by, detail): (ToldBy, &str),
    by: &str,
) -> Late {
    let case = cases.case_of(id).expect("the leg is in hand");
    let leg = cases.leg(id).expect("the leg is in hand");
    let untouched = leg.state == LegState::Rerouting && case.is_live(id);
    if untouched && claim == Claim::Paid {
        warn!(leg = %id, %told_by, "A gateway paid a leg which it had refused; no other leg is sent for it");
        let note = format!("paid after all, says its {told_by}: {detail}");
        cases
            .move_leg(id, LegEvent::Succeed, by, Some(&note))
            .expect("a rerouting leg can be paid after all");
        return Late::Followed;
    }
    error!(leg = %id, state = %leg.state, %claim, %told_by, "A gateway moved money for a leg that had ended otherwise");
    let found = LateEffect {
        leg_id: id,
        withdrawal_id: leg.withdrawal_id,
        state: leg.state.into(),
        claim,
        told_by,
        detail: detail.to_owned(),
    };
    let successor = case.legs.iter().find(|it| it.predecessor_id == Some(id));
    let waiting = successor.filter(|it| it.state == LegState::Scheduled && claim == Claim::Paid);
    let (waiting, withdrawal_id) = (waiting.map(|it| it.id), leg.withdrawal_id);
    cases.keep_late_effect(found);
    if let Some(waiting) = waiting {
        let note = Some(PREDECESSOR_PAID);
        cases.move_leg(waiting, LegEvent::Hold, by, note).expect("a scheduled leg can be held");
        let withdrawal = cases.withdrawal_mut(withdrawal_id).expect("the withdrawal of a leg in hand");
        withdrawal.held_because = Some(PREDECESSOR_PAID.to_owned());
    }
    Late::Kept
}
