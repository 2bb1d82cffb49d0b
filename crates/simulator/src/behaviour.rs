//! How a call is treated: what happens to the money, and what the caller sees.
//!
//! Keeping the two apart is the whole point of the simulator: the dangerous
//! faults are those in which the answer and the money disagree.

use std::time::Duration;

/// What happens to the money of a call that is otherwise in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It moves now.
    Pay,
    /// The order is taken on and the money moves after this many milliseconds of
    /// the simulator's clock.
    PayAfter(i64),
    /// The order is refused for good, in the channel's own code for the reason.
    Refuse(Refusal),
    /// The order never arrives: no trace of it is kept.
    Nothing,
}

/// A reason to refuse, which each channel says in its own code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// There is no such account.
    NoSuchAccount,
    /// The account's holder is somebody else.
    NameMismatch,
    /// More than the payee may receive.
    OverLimit,
    /// The merchant's own balance is too low. Nothing is recorded, so the same
    /// number can be used again after funding.
    OurBalance,
    /// Too late for this way of paying.
    WindowClosed,
}

/// What the caller sees.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(dead_code, reason = "scenarios choose the rest")]
pub(crate) enum Reply {
    /// What happened.
    Truth,
    /// The connection is closed without an answer.
    Drop,
    /// HTTP 503.
    Unavailable,
    /// Nothing, until the caller gives up.
    Silence,
    /// What happened, under a signature that is not ours.
    BadSignature,
    /// What happened, late.
    Slow(Duration),
    /// HTTP 200 with bytes that are no answer.
    Garbage,
    /// What happened is answered with this code of the channel instead.
    Code(String),
}

/// The treatment of one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Behaviour {
    pub(crate) effect: Effect,
    pub(crate) reply: Reply,
}

impl Behaviour {
    /// Money moves, and the answer says so.
    pub(crate) const PAID: Self = Self { effect: Effect::Pay, reply: Reply::Truth };

    pub(crate) const fn new(effect: Effect, reply: Reply) -> Self {
        Self { effect, reply }
    }
}
