//! What all requests share: keys, clock, book, the notes on past requests.

use std::sync::Arc;

use crate::behaviour::{Behaviour, Effect};
use crate::book::{Book, Ledger, NewOrder, State};
use crate::channel::Channel;
use crate::clock::SimClock;
use crate::keys::Keys;
use crate::magic::Magic;
use crate::options::{Dedup, Switches};
use crate::requests::Ring;

/// The simulated world.
pub(crate) struct World {
    pub(crate) keys: Keys,
    pub(crate) clock: SimClock,
    pub(crate) book: Book,
    pub(crate) requests: Ring,
    pub(crate) switches: Switches,
    pub(crate) base_url: String,
}

/// The world, as handlers hold it.
pub(crate) type Shared = Arc<World>;

/// A call about money, as far as faults care.
pub(crate) struct Call<'a> {
    #[expect(dead_code, reason = "scenarios match by channel")]
    pub(crate) channel: Channel,
    /// Key under which attempts are counted.
    pub(crate) key: &'a str,
    /// The account whose ending may be magic.
    pub(crate) payee: &'a str,
}

impl World {
    /// How this call is treated, counting it where that matters.
    #[expect(clippy::unused_self, reason = "scenarios are part of the world")]
    pub(crate) fn behaviour(&self, ledger: &mut Ledger, call: &Call<'_>) -> Behaviour {
        let magic = Magic::of(call.payee);
        let attempt = if magic.counts_attempts() { ledger.count_attempt(call.key) } else { 1 };
        magic.behaviour(attempt)
    }

    /// Whether a repeat of a number on `channel` is recognised.
    pub(crate) fn dedups(&self, channel: Channel) -> bool {
        self.switches.dedup(channel) == Dedup::On
    }
}

/// Takes `order` on with `effect`, which is not to refuse, and gives the key under
/// which it stands: another one when the number is taken and not recognised, the
/// same one when an earlier order of the number was refused.
pub(crate) fn place(ledger: &mut Ledger, mut order: NewOrder, effect: &Effect) -> String {
    let wait_ms = match effect {
        Effect::PayAfter(wait_ms) => *wait_ms,
        _ => 0,
    };
    order.due_ms = Some(order.created_ms + wait_ms);
    let taken = ledger.order(&order.key).is_some_and(|known| !matches!(known.state, State::Refused(..)));
    if taken {
        order.key = ledger.another_key(&order.key);
    }
    let key = order.key.clone();
    ledger.place(order);
    key
}
