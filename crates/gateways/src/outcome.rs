//! The answers that a channel can give, and no others.

/// What is known after [`Gateway::pay`](crate::Gateway::pay).
///
/// Words that say "surely not executed" ([`RetryLater`](Self::RetryLater),
/// [`Configuration`](Self::Configuration), [`Failed`](Self::Failed),
/// [`Reroute`](Self::Reroute)) speak of THIS call alone. Once an earlier call of
/// the same number ended unknown, they count only when [`Finding::Refused`],
/// [`Finding::Spent`] or a [`Finding::NotFound`] after the quiet period says so too.
#[derive(Debug, Clone, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Outcome {
    /// The money has left.
    Succeeded {
        /// The channel's own number of the movement.
        reference: String,
    },
    /// The channel has it and is not done.
    Pending {
        /// The channel's own number, where it gave one.
        reference: Option<String>,
    },
    /// The money may or may not move: no answer, an answer that cannot be
    /// trusted or read, or a code that says so. Only a query can tell.
    Unknown {
        /// The channel's code, or one of ours in lower case (`timeout`).
        code: String,
        /// What happened, for people. No secrets, no account numbers.
        detail: String,
    },
    /// Surely not executed; the same number may go again later (rate, funding,
    /// opening hours).
    RetryLater {
        /// The channel's code.
        code: String,
        /// The channel's text.
        detail: String,
    },
    /// Surely not executed, and every call will fail until somebody changes a
    /// setting: stop the channel, keep the payouts, call a person.
    Configuration {
        /// The channel's code.
        code: String,
        /// The channel's text.
        detail: String,
    },
    /// Surely not executed, and never will be by this route.
    Failed {
        /// The channel's code, or `order_incomplete` when nothing was sent.
        code: String,
        /// The channel's text.
        detail: String,
    },
    /// Surely not executed, and never will be by this route, but a bank card
    /// would do (R6, R7): the refund window is over or the payer's account is gone.
    Reroute {
        /// The channel's code.
        code: String,
        /// The channel's text.
        detail: String,
    },
}

/// What is known after [`Gateway::find`](crate::Gateway::find).
///
/// The channel was asked about our own exact number and its answer was verified;
/// amounts were compared. Anything short of that is [`Finding::Unknown`].
#[derive(Debug, Clone, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Finding {
    /// The money has left.
    Paid {
        /// The channel's own number of the movement.
        reference: String,
    },
    /// The channel has it and is not done. Ask again by the schedule.
    Pending {
        /// The channel's own number, where it gave one.
        reference: Option<String>,
    },
    /// The channel recorded the order and refused it for good.
    Refused {
        /// What the refusal means for the route.
        refusal: Refusal,
        /// The channel's code.
        code: String,
        /// The channel's text.
        detail: String,
    },
    /// The channel recorded the order and did not execute it for a reason that
    /// will pass (funding, hours, limits), and the number is spent: a repeat is
    /// refused as a duplicate. A person decides, or the leg gets a new number.
    Spent {
        /// The channel's code.
        code: String,
        /// The channel's text.
        detail: String,
    },
    /// The money left and came back afterwards: paid, then returned.
    Returned {
        /// The channel's own number of the movement.
        reference: String,
        /// The channel's text.
        detail: String,
    },
    /// The channel does not know the number.
    ///
    /// Before [`Traits::quiet`](crate::Traits::quiet) has passed since the last
    /// send, the request may still be under way, and this says nothing. After
    /// it, the SAME order may be sent again. It is never a reason to fail.
    NotFound {
        /// The channel's text.
        detail: String,
    },
    /// No answer, or none that can be trusted or read, or a code that says so.
    Unknown {
        /// The channel's code, or one of ours in lower case (`timeout`).
        code: String,
        /// What happened, for people. No secrets, no account numbers.
        detail: String,
    },
}

/// What a final refusal means for the route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Release the money.
    Failed,
    /// A bank card would do (R6, R7).
    Reroute,
}

impl Outcome {
    /// The outcome of an order that could not be written down. Nothing was sent.
    pub(crate) fn incomplete(why: &crate::order::Incomplete) -> Self {
        Self::Failed { code: "order_incomplete".to_owned(), detail: why.to_string() }
    }
}
