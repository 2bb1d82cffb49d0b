//! Why a decision or bank details did not take effect, and how the sender reads it.

use broker::contract::Problem;

use super::{APPLIED, PROPOSED};

/// Why a message about a withdrawal changed nothing. The text form is the stable
/// code, kept with the message.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    strum::Display,
    strum::EnumString,
    strum::IntoStaticStr,
    strum::EnumIter,
)]
#[strum(serialize_all = "snake_case")]
pub enum Refusal {
    /// There is no such withdrawal.
    UnknownWithdrawal,
    /// The withdrawal is past the state in which this can be decided.
    TooLate,
    /// S01: the requester may not approve.
    RequesterCannotApprove,
    /// S01: this person approved it already; the others are still missing.
    AlreadyApproved,
    /// S01: the decision was made on another effect than the one that would be paid.
    EffectChanged,
    /// R11: the details that these would replace are not the newest ones.
    DetailsChanged,
    /// R11: a part of the money was sent with the details before.
    AlreadyDispatched,
    /// The withdrawal has no such leg.
    UnknownLeg,
    /// The leg waits for nobody's word about its payment.
    NotInReview,
    /// This person said so already; it takes another one.
    AlreadyProposed,
    /// Another person said that the opposite happened.
    ResolutionDiffers,
    /// Who asked for the money cannot say what became of it.
    RequesterCannotResolve,
    /// There is nothing that a hold could stop now.
    NothingToHold,
    /// There is no hold to end.
    NotOnHold,
    /// R2, R4: what the guards stopped it for still stands.
    StillObstructed,
}

impl Refusal {
    /// The refusal as its sender reads it.
    #[must_use]
    pub fn problem(self) -> Problem {
        let (status, pointer, detail) = match self {
            Self::UnknownWithdrawal => (404, "/data/withdrawal_id", "there is no withdrawal of this number"),
            Self::TooLate => {
                (409, "/data/withdrawal_id", "the withdrawal is past the state in which this can be said")
            }
            Self::RequesterCannotApprove => {
                (403, "/data/actor", "who asked for the money cannot approve the withdrawal, or let it go on")
            }
            Self::AlreadyApproved => {
                (409, "/data/actor", "this person approved it already; it waits for somebody else")
            }
            Self::EffectChanged => (
                409,
                "/data/effect_digest",
                "the withdrawal would pay something else by now; look at it again and decide anew",
            ),
            Self::DetailsChanged => {
                (409, "/data/expected_version", "other bank details were given meanwhile; look at them first")
            }
            Self::AlreadyDispatched => (
                409,
                "/data/withdrawal_id",
                "a part of the money was sent already; the receiving account can no longer be changed",
            ),
            Self::UnknownLeg => (404, "/data/leg_id", "the withdrawal has no leg of this number"),
            Self::NotInReview => (
                409,
                "/data/leg_id",
                "the leg is not in manual review; nobody needs to say what became of it",
            ),
            Self::AlreadyProposed => {
                (409, "/data/actor", "this person said so already; a second person must find the same")
            }
            Self::ResolutionDiffers => (
                409,
                "/data/outcome",
                "another person found the opposite; agree on the evidence, then say the same",
            ),
            Self::RequesterCannotResolve => {
                (403, "/data/actor", "who asked for the money cannot say what became of its payment")
            }
            Self::NothingToHold => (
                409,
                "/data/withdrawal_id",
                "nothing of it can be held now: it waits for bank details or is on hold, or all of it was sent",
            ),
            Self::NotOnHold => (409, "/data/withdrawal_id", "the withdrawal is not on hold"),
            Self::StillObstructed => (
                409,
                "/data/withdrawal_id",
                "the account is stopped, a partner's, or owes more than it has left; it goes on once that is over",
            ),
        };
        let problem = Problem::with_status(self.into(), status, detail).at(pointer);
        match self {
            Self::DetailsChanged | Self::AlreadyDispatched => problem.by_rule("R11"),
            _ => problem,
        }
    }
}

/// Why a message changed nothing, by the result that was kept with it; nothing when it
/// took effect.
#[must_use]
pub fn refused_before(result: &str) -> Vec<Problem> {
    if [APPLIED, PROPOSED].contains(&result) {
        return Vec::new();
    }
    let problem = |code: &str| match code.parse::<Refusal>() {
        Ok(refusal) => refusal.problem(),
        Err(_) => Problem::with_status(code, 422, "it was refused for this when it first came"),
    };
    result.split(' ').map(problem).collect()
}

/// Another message came under a source and id that are taken.
pub(super) fn conflict(differing: &[String]) -> Problem {
    let detail = format!(
        "another message came under this source and id before; this one changed nothing. It differs in: {}",
        differing.join(", ")
    );
    Problem::with_status("conflict", 409, detail).at("/id")
}

#[cfg(test)]
mod tests {
    use strum::IntoEnumIterator;

    use super::{Refusal, refused_before};

    #[test]
    fn every_refusal_has_a_code_a_place_and_words() {
        for refusal in Refusal::iter() {
            let problem = refusal.problem();
            assert_eq!(&*problem.code, refusal.to_string());
            assert!((400..500).contains(&problem.status) && problem.pointer.is_some(), "{problem}");
            assert!(problem.detail.len() > 20, "{problem}");
        }
    }

    #[test]
    fn a_result_that_was_kept_says_again_why_a_message_was_refused() {
        for refusal in Refusal::iter() {
            assert_eq!(refused_before(&refusal.to_string()), [refusal.problem()]);
        }
        let codes: Vec<_> =
            refused_before("too_late name_differs").iter().map(|it| it.code.to_string()).collect();
        assert_eq!(codes, ["too_late", "name_differs"]);
        assert!(refused_before("applied").is_empty() && refused_before("proposed").is_empty());
    }
}
