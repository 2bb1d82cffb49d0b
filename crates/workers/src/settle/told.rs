//! What gateways told by themselves: a hint to ask now, hardly ever more.
//!
//! A notice alone never ends a doubt: it hastens the query that does. The one
//! exception is the bank's booked credit of a returned transfer (camt.054): it
//! is the only word about a return that a bank ever gives, no query repeats it.

use domain::{LegState, Rail};
use store::late_effects::{self, ToldBy};
use store::notices::{self, Claim, Waiting};
use tracing::{info, warn};

use crate::cases::Cases;
use crate::failpoint::failpoint;
use crate::late::{late_effect, speaks_of_the_past};
use crate::outcome::returned_by_notice;
use crate::{Till, reroute};

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
    reroute::take_up(&mut tx, &mut cases, &till.rules, WORKER).await?;
    cases.write(&mut tx, WORKER).await?;
    failpoint!("settle.notices-written");
    tx.commit().await?;
    failpoint!("settle.notices-committed");
    info!(notices = effects.len(), "Settle took up what gateways told");
    Ok(effects.len())
}

/// Does what a notice asks for, and names it; nothing while a payment call is
/// under way: its answer comes first. A leg in manual review is only asked about
/// once more: what ended in doubt is never ended by a hint.
fn effect(cases: &mut Cases, notice: &Waiting) -> Option<&'static str> {
    let leg = cases.leg(notice.leg_id)?;
    let contradicts = speaks_of_the_past(leg);
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
            warn!(leg = %notice.leg_id, claim = %notice.claim, "A gateway tells of a leg in manual review; it is asked");
            let at = cases.at();
            cases.leg_mut(notice.leg_id)?.check_at = Some(at);
            Some("hastened")
        }
        // Nothing was given back yet, so the gateway is asked before anything else happens.
        (LegState::Rerouting, Claim::Paid)
            if contradicts && cases.case_of(notice.leg_id)?.is_live(notice.leg_id) =>
        {
            let at = cases.at();
            cases.leg_mut(notice.leg_id)?.check_at = Some(at);
            Some("hastened")
        }
        (_, Claim::Paid) if contradicts => {
            let told = (ToldBy::Notice, notice.notice_id.as_str());
            late_effect(cases, notice.leg_id, late_effects::Claim::Paid, told, WORKER);
            Some("contradicts")
        }
        _ => Some("no_change"),
    }
}
