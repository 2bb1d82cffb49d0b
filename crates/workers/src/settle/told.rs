//! What gateways told by themselves: a hint to ask now, hardly ever more.
//!
//! A notice alone never ends a doubt: it hastens the query that does. The one
//! exception is the bank's booked credit of a returned transfer (camt.054): it
//! is the only word about a return that a bank ever gives, no query repeats it.

use domain::{LegState, Rail};
use store::notices::{self, Claim, Waiting};
use tracing::{error, info, warn};

use crate::Till;
use crate::cases::Cases;
use crate::outcome::returned_by_notice;

use super::{BATCH, WORKER};

/// Takes up the notices that wait, in one transaction. Answers how many.
///
/// # Errors
/// When the database is away or refuses; nothing was written then.
pub(super) async fn apply(till: &Till) -> Result<usize, store::Error> {
    let at = till.clock.now();
    let mut tx = till.database.begin().await?;
    let waiting = notices::waiting(&mut tx, BATCH).await?;
    if waiting.is_empty() {
        return Ok(0);
    }
    let legs: Vec<_> = waiting.iter().map(|it| it.leg_id).collect();
    let mut cases = Cases::lock_of_legs(&mut tx, &legs, at).await?;
    let effects: Vec<_> = waiting.iter().filter_map(|it| Some((it.id, effect(&mut cases, it)?))).collect();
    notices::applied(&mut tx, &effects, at).await?;
    cases.write(&mut tx, WORKER).await?;
    tx.commit().await?;
    info!(notices = effects.len(), "Settle took up what gateways told");
    Ok(effects.len())
}

/// Does what a notice asks for, and names it; nothing while a payment call is
/// under way: its answer comes first.
fn effect(cases: &mut Cases, notice: &Waiting) -> Option<&'static str> {
    let leg = cases.leg(notice.leg_id)?;
    let was_paid = leg.paid_at.is_some();
    match (leg.state, notice.claim) {
        (LegState::Dispatching, _) => None,
        (LegState::Unknown | LegState::Submitted | LegState::Paid | LegState::Settled, Claim::Returned)
            if leg.rail == Rail::Bank =>
        {
            returned_by_notice(cases, notice.leg_id, &notice.notice_id);
            Some("returned")
        }
        (LegState::Unknown | LegState::Submitted, _)
        | (LegState::Paid | LegState::Settled, Claim::Returned | Claim::Refused) => {
            let at = cases.at();
            cases.leg_mut(notice.leg_id)?.check_at = Some(at);
            Some("hastened")
        }
        (LegState::Paid | LegState::Settled, _) => Some("confirmed"),
        (LegState::ManualReview, _) => {
            warn!(leg = %notice.leg_id, claim = %notice.claim, "A gateway tells of a leg in manual review");
            Some("for_people")
        }
        (LegState::Failed | LegState::Released | LegState::Rerouting, Claim::Paid) if !was_paid => {
            error!(leg = %notice.leg_id, "A gateway says that it paid a leg which it had refused");
            Some("contradicts")
        }
        _ => Some("no_change"),
    }
}
