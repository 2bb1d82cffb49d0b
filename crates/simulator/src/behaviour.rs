//! How a call is treated: what happens to the money, and what the caller sees.
//!
//! Keeping the two apart is the whole point of the simulator: the dangerous
//! faults are those in which the answer and the money disagree.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What happens to the money of a call that is otherwise in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It moves now.
    Pay,
    /// The order is taken on and the money moves after this many milliseconds of
    /// the simulator's clock.
    PayAfter(i64),
    /// The order is taken on, and the money moves by a later turn or never.
    Hold,
    /// The order is refused for good, in the channel's own code for the reason.
    Refuse(Refusal),
    /// The order is refused in exactly this code of the channel.
    RefuseWith(String),
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
pub(crate) enum Reply {
    /// What happened.
    Truth,
    /// What happened, after the notice about it was delivered. Names the order.
    AfterNotice(String),
    /// The connection is closed without an answer.
    Drop,
    /// The connection is reset without an answer.
    Reset,
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

/// What happens by itself after an order was taken on, moved with the order into
/// the book so that a restart does not forget it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Aftermath {
    /// Later turns, each at its time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) turns: Vec<Turn>,
    #[serde(default, skip_serializing_if = "NoticePlan::is_plain")]
    pub(crate) notices: NoticePlan,
    /// How the order's line in a statement deviates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) statement: Option<Deviation>,
}

/// A later turn of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Turn {
    /// Unix milliseconds.
    pub(crate) at_ms: i64,
    pub(crate) what: What,
}

/// What turns.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum What {
    /// The money of a pending order moves.
    Settle,
    /// The money of a paid order comes back, for this reason.
    Return(String),
    /// A pending order fails with this code.
    Fail(String),
}

/// How notices about an order are sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NoticePlan {
    /// Copies besides the first.
    #[serde(default)]
    pub(crate) extra: u32,
    /// The first is delivered before the reply to the order leaves.
    #[serde(default)]
    pub(crate) early: bool,
    /// Milliseconds of the simulator's clock before the first is sent.
    #[serde(default)]
    pub(crate) delay_ms: i64,
    /// Sent under a signature that is not ours.
    #[serde(default)]
    pub(crate) forged: bool,
    /// By how much the amount in them, under our signature, is more than the order's.
    #[serde(default)]
    pub(crate) excess_fen: i64,
    /// Wait until the notice of the next order on this channel has been sent.
    #[serde(default)]
    pub(crate) after_next: bool,
}

impl NoticePlan {
    /// One notice, at once, under our signature.
    pub(crate) fn is_plain(&self) -> bool {
        *self == Self::default()
    }
}

impl Aftermath {
    /// Nothing out of the ordinary happens by itself.
    pub(crate) fn is_plain(&self) -> bool {
        *self == Self::default()
    }
}

/// How a statement deviates from the book.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Deviation {
    /// The line is left out.
    Missing,
    /// A second line stands under a number nobody sent.
    Extra,
    /// The line's amount is one fen more.
    AmountOff,
}

/// The treatment of one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Behaviour {
    pub(crate) effect: Effect,
    pub(crate) reply: Reply,
    pub(crate) aftermath: Aftermath,
}

impl Behaviour {
    /// Money moves, and the answer says so.
    pub(crate) fn paid() -> Self {
        Self::new(Effect::Pay, Reply::Truth)
    }

    /// A treatment after which nothing happens by itself.
    pub(crate) fn new(effect: Effect, reply: Reply) -> Self {
        Self { effect, reply, aftermath: Aftermath::default() }
    }
}
