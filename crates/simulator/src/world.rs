//! What all requests share: keys, clock, book, scenario, notices, notes.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use crate::behaviour::{Behaviour, Effect, Reply};
use crate::book::{Book, Ledger, NewOrder, State};
use crate::channel::Channel;
use crate::clock::{SimClock, rfc3339};
use crate::keys::Keys;
use crate::magic::Magic;
use crate::options::{Callbacks, Dedup, Limits, Switches};
use crate::postman::Postman;
use crate::requests::{Note, Ring};
use crate::scenario::{Op, Play};
use crate::statement::Downloads;

/// Failing requests per second that `WeChat Pay` bears.
const FAILURES_PER_SECOND: usize = 6;

/// The simulated world.
pub(crate) struct World {
    pub(crate) keys: Keys,
    pub(crate) clock: SimClock,
    pub(crate) book: Book,
    pub(crate) requests: Ring,
    pub(crate) switches: Switches,
    pub(crate) postman: Postman,
    pub(crate) downloads: Downloads,
    pub(crate) base_url: String,
    pub(crate) callbacks: RwLock<Callbacks>,
    pub(crate) play: RwLock<Option<Arc<Play>>>,
    pub(crate) wechat_failures: Mutex<VecDeque<i64>>,
}

/// The world, as handlers hold it.
pub(crate) type Shared = Arc<World>;

/// A call about money, as far as faults care.
pub(crate) struct Call<'a> {
    pub(crate) channel: Channel,
    pub(crate) op: Op,
    /// Key of the order, under which attempts are counted.
    pub(crate) key: &'a str,
    /// The payout number.
    pub(crate) number: &'a str,
    /// The account whose ending may be magic.
    pub(crate) payee: &'a str,
}

impl World {
    /// How this call is treated, counting it where that matters.
    pub(crate) fn behaviour(&self, ledger: &mut Ledger, call: &Call<'_>) -> Behaviour {
        let now_ms = self.clock.now_ms();
        let scripted = self.play().and_then(|play| play.behaviour(ledger, call, now_ms));
        let mut behaviour = scripted.unwrap_or_else(|| {
            let magic = Magic::of(call.payee);
            let attempt = if magic.counts_attempts() { ledger.count_attempt(call.key) } else { 1 };
            magic.behaviour(attempt, now_ms)
        });
        if let Reply::AfterNotice(key) = &mut behaviour.reply {
            key.push_str(call.key);
        }
        behaviour
    }

    /// How a query is answered; only scenarios make it anything but the truth.
    pub(crate) fn query_reply(&self, ledger: &mut Ledger, call: &Call<'_>) -> Reply {
        let scripted = self.play().and_then(|play| play.behaviour(ledger, call, self.clock.now_ms()));
        scripted.map_or(Reply::Truth, |behaviour| match behaviour.effect {
            Effect::RefuseWith(code) => Reply::Code(code),
            _ => behaviour.reply,
        })
    }

    /// Whether a repeat of a number on `channel` is recognised.
    pub(crate) fn dedups(&self, channel: Channel) -> bool {
        self.switches.dedup(channel) == Dedup::On
    }

    /// The scenario that is being played.
    pub(crate) fn play(&self) -> Option<Arc<Play>> {
        self.play.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Where notices without an address of their own go.
    pub(crate) fn callbacks(&self) -> Callbacks {
        self.callbacks.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes a notice among the requests.
    pub(crate) fn note_notice(&self, url: &str, accepted: bool) {
        let status = Some(if accepted { 200 } else { 0 });
        let at = rfc3339(self.clock.now_ms());
        let (method, path) = ("NOTICE".to_owned(), url.to_owned());
        self.requests.add(Note { sequence: 0, at, method, path, status, traceparent: None });
    }

    /// Counts a failing request at `WeChat Pay`.
    pub(crate) fn count_wechat_failure(&self) {
        let mut failures = self.wechat_failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.push_back(self.clock.now_ms());
    }

    /// Whether the last second holds as many failing requests as are borne.
    pub(crate) fn is_wechat_throttled(&self) -> bool {
        let now_ms = self.clock.now_ms();
        let mut failures = self.wechat_failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.retain(|at_ms| now_ms - at_ms < 1_000);
        self.switches.limits == Limits::Real && failures.len() >= FAILURES_PER_SECOND
    }
}

/// Takes `order` on with a behaviour that is not to refuse, and gives the key
/// under which it stands: another one when the number is taken and not
/// recognised. An order that was refused gives way.
pub(crate) fn place(ledger: &mut Ledger, mut order: NewOrder, behaviour: &Behaviour) -> String {
    order.due_ms = match behaviour.effect {
        Effect::Hold => None,
        Effect::PayAfter(wait_ms) => Some(order.created_ms + wait_ms),
        _ => Some(order.created_ms),
    };
    order.aftermath = behaviour.aftermath.clone();
    if ledger.order(&order.key).is_some_and(|known| !matches!(known.state, State::Refused(..))) {
        order.key = ledger.another_key(&order.key);
    }
    let key = order.key.clone();
    ledger.place(order);
    key
}
