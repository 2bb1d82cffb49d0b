//! What people found out about legs in manual review: the first proposes, a
//! second one who says the same ends the review.
//!
//! ```text
//! manual_review ── one person: paid ─▶ (proposed) ── another person: paid ─▶ paid
//!      └────────── one person: not paid ─▶ (proposed) ── another person: not paid ─▶ failed ─▶ released
//! ```
//!
//! A proposal is about one review. When the gateway ends that review first, or the
//! leg comes back to another one, it counts no more.

use std::collections::HashMap;

use broker::contract::{Fate, LegResolved};
use domain::{LegEvent, LegState};
use store::Tx;
use store::resolutions::{self, Claim, Resolution};
use uuid::Uuid;

use super::refusal::Refusal;
use super::{APPLIED, PROPOSED};
use crate::cases::Cases;
use crate::outcome::{Words, go};

/// Who proposed what in a review, newest last.
#[derive(Debug, Default)]
pub(super) struct Reviews(HashMap<(Uuid, i32), Vec<(String, Claim)>>);

impl Reviews {
    /// Reads the proposals about legs of the withdrawals in hand.
    pub(super) async fn read(tx: &mut Tx, withdrawals: &[Uuid]) -> Result<Self, store::Error> {
        let mut reviews = Self::default();
        if withdrawals.is_empty() {
            return Ok(reviews);
        }
        for it in resolutions::of_withdrawals(tx, withdrawals).await? {
            if it.result == PROPOSED {
                reviews.propose((it.leg_id, it.review), &it.actor, it.claim);
            }
        }
        Ok(reviews)
    }

    /// A person has one proposal: who changes their mind takes the first one back.
    fn propose(&mut self, review: (Uuid, i32), actor: &str, claim: Claim) {
        let proposals = self.0.entry(review).or_default();
        proposals.retain(|(by, _)| by != actor);
        proposals.push((actor.to_owned(), claim));
    }

    /// Takes in what one person says, and answers with the word for what came of it.
    ///
    /// # Errors
    /// The rule that refuses it; nothing changed then.
    pub(super) fn apply(&mut self, cases: &mut Cases, wish: &LegResolved) -> Result<&'static str, Refusal> {
        let case = cases.get(wish.withdrawal_id).ok_or(Refusal::UnknownWithdrawal)?;
        let leg = case.legs.iter().find(|it| it.id == wish.leg_id).ok_or(Refusal::UnknownLeg)?;
        if leg.state != LegState::ManualReview {
            return Err(Refusal::NotInReview);
        }
        let actor = wish.actor.as_str();
        if case.withdrawal.requester == actor {
            return Err(Refusal::RequesterCannotResolve);
        }
        let (review, claim) = ((leg.id, leg.sequence), claim(wish.outcome));
        let proposals = self.0.get(&review).map_or(&[][..], Vec::as_slice);
        let others = || proposals.iter().filter(|(by, _)| by != actor);
        if others().any(|(_, said)| *said != claim) {
            return Err(Refusal::ResolutionDiffers);
        }
        if let Some((first, _)) = others().next() {
            let evidence = wish.evidence.as_str();
            end(cases, wish.leg_id, claim, (actor, &format!("as {first} says too; {evidence}")));
            return Ok(APPLIED);
        }
        if proposals.contains(&(actor.to_owned(), claim)) {
            return Err(Refusal::AlreadyProposed);
        }
        self.propose(review, actor, claim);
        Ok(PROPOSED)
    }
}

/// What a message claims, in the words of the rows.
pub(super) const fn claim(fate: Fate) -> Claim {
    match fate {
        Fate::Paid => Claim::Paid,
        Fate::NotPaid => Claim::NotPaid,
    }
}

/// Ends a review: the same moves as if the gateway had said it.
fn end(cases: &mut Cases, leg: Uuid, claim: Claim, (by, evidence): (&str, &str)) {
    let words = Words::new(claim.into(), "resolved", evidence);
    let row = cases.leg_mut(leg).expect("the leg is in hand");
    row.check_at = None;
    words.write_on(row);
    match claim {
        Claim::Paid => go(cases, leg, LegEvent::Succeed, by, &words),
        Claim::NotPaid => {
            go(cases, leg, LegEvent::Refuse, by, &words);
            go(cases, leg, LegEvent::Release, by, &words);
        }
    }
}

/// The row of what one person said. `review` is the leg's sequence when it was said.
pub(super) fn row(
    (source, event_id): (&str, &str),
    wish: &LegResolved,
    (review, result): (i32, String),
    at: chrono::DateTime<chrono::Utc>,
) -> Resolution {
    Resolution {
        id: Uuid::now_v7(),
        source: source.to_owned(),
        event_id: event_id.to_owned(),
        leg_id: wish.leg_id,
        withdrawal_id: wish.withdrawal_id,
        review,
        claim: claim(wish.outcome),
        evidence: wish.evidence.as_str().to_owned(),
        actor: wish.actor.as_str().to_owned(),
        result,
        made_at: at,
    }
}
