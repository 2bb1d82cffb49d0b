//! A scenario that is being played.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::digest;

use super::words::{NewsWord, Op, Order, ReplyWord, Sign, Sum};
use super::{Rule, Scenario, Step};
use crate::behaviour::{Aftermath, Behaviour, Effect, Reply, Turn, What};
use crate::book::Ledger;
use crate::channel::Channel;
use crate::world::Call;

/// Milliseconds that a pending order takes when no step says otherwise.
const PENDING_MS: i64 = 3_000;

/// A loaded scenario, the calls it met, and when it began.
pub(crate) struct Play {
    pub(super) scenario: Scenario,
    started_ms: i64,
    seen: Mutex<Seen>,
}

/// What was met so far.
#[derive(Default)]
struct Seen {
    /// When each payout number was first met, by order key and number.
    first: HashMap<String, (String, i64)>,
    /// The newest calls of each rule with a rate, unix milliseconds.
    recent: HashMap<usize, VecDeque<i64>>,
}

impl Play {
    pub(crate) fn new(scenario: Scenario, started_ms: i64) -> Self {
        Self { scenario, started_ms, seen: Mutex::new(Seen::default()) }
    }

    /// The scenario's name.
    pub(crate) fn name(&self) -> &str {
        &self.scenario.name
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every payout number that a rule met, with its order key and first time.
    pub(super) fn met(&self) -> HashMap<String, (String, i64)> {
        self.seen().first.clone()
    }

    /// The treatment of a call, when a rule means it.
    pub(crate) fn behaviour(&self, ledger: &mut Ledger, call: &Call<'_>, now_ms: i64) -> Option<Behaviour> {
        let rules = self.scenario.on.iter().enumerate();
        let mut meant = rules.filter(|(_, rule)| {
            rule.channel.means(call.channel)
                && rule.op == call.op
                && rule.payee.fits(call.payee)
                && rule.number.fits(call.number)
        });
        let (index, rule) = meant.next()?;
        let attempt = match call.op {
            Op::Transfer => ledger.count_attempt(call.key),
            Op::Query => ledger.count_attempt(&format!("query|{}", call.key)),
        };
        if self.draw(call.key, attempt) >= rule.chance.0 {
            return None;
        }
        if call.op == Op::Transfer {
            let met = (call.key.to_owned(), now_ms);
            self.seen().first.entry(call.number.to_owned()).or_insert(met);
        }
        if let Some(behaviour) = self.refusal(index, rule, (call.channel, now_ms)) {
            return Some(behaviour);
        }
        let step = rule.steps.iter().filter(|step| step.after.is_none());
        let step = step
            .clone()
            .find(|step| step.attempt == Some(attempt))
            .or_else(|| rule.steps.iter().find(|step| step.after.is_none() && step.attempt.is_none()));
        Some(treatment(rule, step, (call.channel, now_ms)))
    }

    /// A number in `0.0..1.0` that depends on seed, call and attempt alone, so that
    /// the order in which calls arrive does not matter.
    fn draw(&self, key: &str, attempt: u32) -> f64 {
        let text = format!("{} {key} {attempt}", self.scenario.seed);
        let hash = digest::digest(&digest::SHA256, text.as_bytes());
        let bytes: [u8; 4] = hash.as_ref()[..4].try_into().expect("a hash has 32 bytes");
        f64::from(u32::from_be_bytes(bytes)) / (f64::from(u32::MAX) + 1.0)
    }

    /// What an outage or a rate makes of the call.
    fn refusal(&self, index: usize, rule: &Rule, at: (Channel, i64)) -> Option<Behaviour> {
        let (channel, now_ms) = at;
        if let Some(outage) = &rule.outage {
            let from_ms = outage.after.end_ms(self.started_ms);
            if (from_ms..outage.length.end_ms(from_ms)).contains(&now_ms) {
                return Some(Behaviour::new(Effect::Nothing, Reply::Unavailable));
            }
        }
        let rate = rule.rate?;
        let mut seen = self.seen();
        let recent = seen.recent.entry(index).or_default();
        while recent.front().is_some_and(|at_ms| now_ms - at_ms >= 1_000) {
            recent.pop_front();
        }
        if recent.len() < rate as usize {
            recent.push_back(now_ms);
            return None;
        }
        let reply = match channel {
            Channel::Alipay => Reply::Code("isv.method-call-limited".to_owned()),
            Channel::Wechat => Reply::Code("FREQUENCY_LIMITED".to_owned()),
            Channel::Unionpay => Reply::Code("06".to_owned()),
            Channel::Bank => Reply::Unavailable,
        };
        Some(Behaviour::new(Effect::Nothing, reply))
    }
}

fn treatment(rule: &Rule, step: Option<&Step>, at: (Channel, i64)) -> Behaviour {
    let (channel, now_ms) = at;
    let empty = Step::default();
    let step = step.unwrap_or(&empty);
    let word = step.reply.clone().unwrap_or(ReplyWord::Ok);
    let believed =
        matches!(word, ReplyWord::Ok | ReplyWord::Pending | ReplyWord::Slow(_) | ReplyWord::BadSignature);
    let commit = step.commit.unwrap_or(believed);
    let pending = word == ReplyWord::Pending;
    let reply = reply(&word, commit, channel);
    let mut behaviour = match (commit, word) {
        (false, ReplyWord::Code(code)) => Behaviour::new(Effect::RefuseWith(code), Reply::Truth),
        (false, _) => Behaviour::new(Effect::Nothing, reply),
        (true, _) => Behaviour::new(Effect::Pay, reply),
    };
    if commit {
        let afters = rule.steps.iter().filter(|step| step.after.is_some());
        for step in std::iter::once(step).chain(afters) {
            follow(&mut behaviour, step, (pending, now_ms));
        }
        if pending {
            let turns = &behaviour.aftermath.turns;
            let awaited = turns.iter().any(|turn| !matches!(turn.what, What::Return(_)));
            behaviour.effect = if awaited { Effect::Hold } else { Effect::PayAfter(PENDING_MS) };
        }
    }
    behaviour
}

fn reply(word: &ReplyWord, commit: bool, channel: Channel) -> Reply {
    match word {
        ReplyWord::Ok | ReplyWord::Pending if commit => Reply::Truth,
        ReplyWord::BadSignature if commit => Reply::BadSignature,
        ReplyWord::Slow(wait) if commit => Reply::Slow(*wait),
        // There is no truth to tell about an order that was not taken on.
        ReplyWord::Ok | ReplyWord::Pending | ReplyWord::Slow(_) | ReplyWord::BadSignature => match channel {
            Channel::Alipay | Channel::Wechat => Reply::Code("SYSTEM_ERROR".to_owned()),
            Channel::Unionpay => Reply::Code("03".to_owned()),
            Channel::Bank => Reply::Unavailable,
        },
        ReplyWord::Unavailable => Reply::Unavailable,
        ReplyWord::Drop => Reply::Drop,
        ReplyWord::Reset => Reply::Reset,
        ReplyWord::Garbage => Reply::Garbage,
        ReplyWord::Never => Reply::Silence,
        ReplyWord::Code(code) => Reply::Code(code.clone()),
    }
}

/// Adds what a step makes happen by itself.
fn follow(behaviour: &mut Behaviour, step: &Step, (pending, now_ms): (bool, i64)) {
    let Aftermath { turns, notices, statement } = &mut behaviour.aftermath;
    let wait = step.after.unwrap_or_default();
    let reason = |default: &str| step.reason.clone().unwrap_or_else(|| default.to_owned());
    let turn = |what| Turn { at_ms: wait.end_ms(now_ms), what };
    match step.notify {
        Some(NewsWord::Settled) if pending => turns.push(turn(What::Settle)),
        Some(NewsWord::Settled) => notices.delay_ms = wait.span_ms(now_ms),
        Some(NewsWord::Returned) => turns.push(turn(What::Return(reason("AC04")))),
        Some(NewsWord::Failed) => turns.push(turn(What::Fail(reason("MS03")))),
        Some(NewsWord::Early) => {
            notices.early = true;
            behaviour.reply = Reply::AfterNotice(String::new());
        }
        None => {}
    }
    if let Some(times) = step.times {
        notices.extra = times.saturating_sub(1);
    }
    if let Some(delay) = step.delay {
        notices.delay_ms += delay.span_ms(now_ms);
    }
    notices.forged |= step.sign == Some(Sign::Bad);
    if step.amount == Some(Sum::Off) {
        notices.excess_fen = 1;
    }
    notices.after_next |= step.order == Some(Order::AfterNext);
    *statement = statement.or(step.statement);
}
