//! Faults by account: the last four digits of the payee's account (bank) or of
//! the original trade's number (wallets) choose what happens, on every channel.
//!
//! By account and not by amount, because a withdrawal is split over top-ups and
//! nobody upstream chooses the amounts of the parts.

use crate::behaviour::{Behaviour, Effect, Refusal, Reply, Turn, What};
use crate::workdays;

/// Milliseconds of the simulator's clock that a pending order takes.
const PENDING_MS: i64 = 3_000;
/// Working days after which a returned payment comes back.
const RETURN_WORKING_DAYS: u32 = 3;

/// The magic endings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Magic {
    /// `0000`, and every account that is not magic.
    Paid,
    /// `0001`
    PendingThenPaid,
    /// `0002`
    NoSuchAccount,
    /// `0003`
    NameMismatch,
    /// `0004`
    OverLimit,
    /// `0005`
    OurBalance,
    /// `0006`: the first call is lost before the money moves.
    LostBefore,
    /// `0007`: the first answer is lost after the money moved.
    LostAfter,
    /// `0008`
    UnavailableTwice,
    /// `0009`
    ReturnedLater,
    /// `0010`
    NotifiedThrice,
    /// `0011`
    NotifiedEarly,
    /// `0012`: the first answer carries a bad signature.
    BadSignature,
    /// `0013`
    NeverAnswers,
    /// `0014`
    WindowClosed,
}

impl Magic {
    /// Reads the ending of an account.
    pub(crate) fn of(account: &str) -> Self {
        match account.len().checked_sub(4).and_then(|start| account.get(start..)) {
            Some("0001") => Self::PendingThenPaid,
            Some("0002") => Self::NoSuchAccount,
            Some("0003") => Self::NameMismatch,
            Some("0004") => Self::OverLimit,
            Some("0005") => Self::OurBalance,
            Some("0006") => Self::LostBefore,
            Some("0007") => Self::LostAfter,
            Some("0008") => Self::UnavailableTwice,
            Some("0009") => Self::ReturnedLater,
            Some("0010") => Self::NotifiedThrice,
            Some("0011") => Self::NotifiedEarly,
            Some("0012") => Self::BadSignature,
            Some("0013") => Self::NeverAnswers,
            Some("0014") => Self::WindowClosed,
            _ => Self::Paid,
        }
    }

    /// Whether the treatment depends on how often the call was made.
    pub(crate) const fn counts_attempts(self) -> bool {
        matches!(self, Self::LostBefore | Self::LostAfter | Self::UnavailableTwice | Self::BadSignature)
    }

    /// The treatment of the call at `now_ms`, whose `attempt` is counted from one.
    pub(crate) fn behaviour(self, attempt: u32, now_ms: i64) -> Behaviour {
        match self {
            Self::PendingThenPaid => Behaviour::new(Effect::PayAfter(PENDING_MS), Reply::Truth),
            Self::NoSuchAccount => refuse(Refusal::NoSuchAccount),
            Self::NameMismatch => refuse(Refusal::NameMismatch),
            Self::OverLimit => refuse(Refusal::OverLimit),
            Self::OurBalance => refuse(Refusal::OurBalance),
            Self::WindowClosed => refuse(Refusal::WindowClosed),
            Self::LostBefore if attempt == 1 => Behaviour::new(Effect::Nothing, Reply::Drop),
            Self::LostAfter if attempt == 1 => Behaviour::new(Effect::Pay, Reply::Drop),
            Self::UnavailableTwice if attempt <= 2 => Behaviour::new(Effect::Nothing, Reply::Unavailable),
            Self::BadSignature if attempt == 1 => Behaviour::new(Effect::Pay, Reply::BadSignature),
            Self::NeverAnswers => Behaviour::new(Effect::Nothing, Reply::Silence),
            Self::NotifiedEarly => {
                let mut behaviour = Behaviour::new(Effect::Pay, Reply::AfterNotice(String::new()));
                behaviour.aftermath.notices.early = true;
                behaviour
            }
            Self::NotifiedThrice => {
                let mut behaviour = Behaviour::paid();
                behaviour.aftermath.notices.extra = 2;
                behaviour
            }
            Self::ReturnedLater => {
                let mut behaviour = Behaviour::paid();
                let at_ms = workdays::after(now_ms, RETURN_WORKING_DAYS);
                behaviour.aftermath.turns.push(Turn { at_ms, what: What::Return("AC04".to_owned()) });
                behaviour
            }
            _ => Behaviour::paid(),
        }
    }
}

fn refuse(refusal: Refusal) -> Behaviour {
    Behaviour::new(Effect::Refuse(refusal), Reply::Truth)
}

#[cfg(test)]
mod tests {
    use super::Magic;
    use crate::behaviour::{Behaviour, Effect::*, Refusal::*, Reply::*};

    #[test]
    fn the_last_four_digits_choose_the_treatment_of_each_attempt() {
        for (account, attempt, effect, reply) in [
            ("62170000", 1, Pay, Truth),
            ("62170001", 1, PayAfter(3_000), Truth),
            ("62170002", 1, Refuse(NoSuchAccount), Truth),
            ("62170003", 1, Refuse(NameMismatch), Truth),
            ("62170004", 1, Refuse(OverLimit), Truth),
            ("62170005", 1, Refuse(OurBalance), Truth),
            ("62170006", 1, Nothing, Drop),
            ("62170006", 2, Pay, Truth),
            ("62170007", 1, Pay, Drop),
            ("62170007", 2, Pay, Truth),
            ("62170008", 2, Nothing, Unavailable),
            ("62170008", 3, Pay, Truth),
            ("62170012", 1, Pay, BadSignature),
            ("62170012", 2, Pay, Truth),
            ("62170013", 9, Nothing, Silence),
            ("62170014", 1, Refuse(WindowClosed), Truth),
            ("0007", 1, Pay, Drop),
            ("007", 1, Pay, Truth),
            ("退款", 1, Pay, Truth),
            ("62170420", 1, Pay, Truth),
        ] {
            let expected = Behaviour::new(effect, reply);
            assert_eq!(Magic::of(account).behaviour(attempt, 0), expected, "{account} {attempt}");
        }
    }
}
