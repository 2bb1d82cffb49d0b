//! The decisions worker: what people decide about withdrawals, and the bank
//! details that they give (R11).
//!
//! ```text
//! outflow.decisions ─▶ lock cases · known? drop ─▶ apply in order ─▶ write with results ─▶ ack
//! ```
//!
//! A message that comes too late, from the wrong person or for another effect is
//! not an error of the system: it is kept with the rule that refused it, and an
//! event tells its sender.

mod details;
mod quorum;
mod redirect;
mod refusal;
mod resolutions;
mod verdicts;

use std::collections::HashMap;

use broker::contract::{
    Envelope, Instruction, Problem, WithdrawalDecided, differing_fields, parse_instruction,
};
use broker::topology::DECISIONS;
use broker::{Delivery, Inbox, Settled};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use store::decisions::{self, Decision};
use store::resolutions::Resolution;
use store::{Database, Tx, Vault, bank_accounts, instructions};
use tokio_util::sync::CancellationToken;
use tracing::info;
use uuid::Uuid;

use self::details::Book;
use self::quorum::Quorums;
pub use self::refusal::{Refusal, refused_before};
use self::resolutions::Reviews;
pub(crate) use self::verdicts::give_back;
use crate::cases::Cases;
use crate::dead_letter::{self, park};
use crate::events::refused_event;
use crate::failpoint::failpoint;
use crate::intake::number_in_forms;
use crate::patience::patiently;
use crate::{Clock, Error, PayoutPolicy, traceparent};

/// The result of a message that took effect.
const APPLIED: &str = "applied";

/// The result of a message that takes effect once a second person says the same.
const PROPOSED: &str = "proposed";

/// A message that was read.
pub type Message = Envelope<Instruction>;

/// Every reason for which a message was refused.
type Refused = Vec<Problem>;

/// What the worker decides by.
#[derive(Debug, Clone)]
pub struct Desk {
    /// Who may approve what, and what follows.
    pub policy: PayoutPolicy,
    /// How long a withdrawal waits for a decision once its bank details are there.
    pub approval_wait: TimeDelta,
    /// Seals account numbers, and messages that cannot be read.
    pub vault: Vault,
}

/// Runs until `stop` is raised, and then finishes the batch in hand.
///
/// # Errors
/// When only a restart or a person can help.
pub async fn run(
    mut inbox: Inbox,
    database: Database,
    desk: Desk,
    clock: Clock,
    stop: CancellationToken,
) -> Result<(), Error> {
    while let Some(batch) = inbox.next_batch(&stop).await {
        failpoint!("decisions.taken");
        let work = || take(&database, &batch.deliveries, &desk, clock.now());
        let Some(applied) = patiently("the decisions", &stop, work).await? else { break };
        let read = batch.len();
        failpoint!("decisions.committed");
        let lost = batch.ack().await == Settled::Lost;
        failpoint!("decisions.acknowledged");
        info!(applied, read, lost, "Decisions committed a batch");
    }
    Ok(())
}

/// One batch of messages, in one transaction.
async fn take(
    database: &Database,
    deliveries: &[Delivery],
    desk: &Desk,
    at: DateTime<Utc>,
) -> Result<usize, store::Error> {
    let (mut read, mut refused) = (Vec::new(), Vec::new());
    for delivery in deliveries {
        match parse_instruction(&delivery.body) {
            Ok(message) => read.push(traceparent::of_message(message, delivery)),
            Err(problem) => refused.push(park(delivery, DECISIONS, &problem, &desk.vault)),
        }
    }
    let mut tx = database.begin().await?;
    dead_letter::put(&mut tx, refused, at).await?;
    let applied = decide_in(&mut tx, &read, desk, at).await?;
    failpoint!("decisions.written");
    tx.commit().await?;
    Ok(applied)
}

/// Applies messages in one transaction, in the order in which they came, and
/// answers how many took effect.
///
/// # Errors
/// [`store::Error::Stale`] when another worker takes in one of the same messages
/// at this moment: decide them again.
pub async fn decide(
    database: &Database,
    messages: &[Message],
    desk: &Desk,
    at: DateTime<Utc>,
) -> Result<usize, store::Error> {
    let mut tx = database.begin().await?;
    let applied = decide_in(&mut tx, messages, desk, at).await?;
    tx.commit().await?;
    Ok(applied)
}

/// What became of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// It took effect.
    Applied,
    /// It came before, and changed nothing now.
    Repeated,
    /// It changed nothing, for every one of these reasons.
    Refused(Vec<Problem>),
}

/// Applies one message in a transaction of the caller's, who wants to know what
/// became of it: the same judgement as from the queue, kept in the same way.
///
/// # Errors
/// [`store::Error::Stale`] when another worker takes in the same message at this
/// moment: roll back and decide it again.
///
/// # Panics
/// Never: a message has a result.
pub async fn decide_one(
    tx: &mut Tx,
    message: &Message,
    desk: &Desk,
    at: DateTime<Utc>,
) -> Result<Taken, store::Error> {
    let mut results = judge_in(tx, std::slice::from_ref(message), desk, at).await?;
    Ok(results.pop().expect("a message has a result"))
}

async fn decide_in(
    tx: &mut Tx,
    messages: &[Message],
    desk: &Desk,
    at: DateTime<Utc>,
) -> Result<usize, store::Error> {
    let results = judge_in(tx, messages, desk, at).await?;
    Ok(results.iter().filter(|it| **it == Taken::Applied).count())
}

/// What became of each message, in their order.
async fn judge_in(
    tx: &mut Tx,
    messages: &[Message],
    desk: &Desk,
    at: DateTime<Utc>,
) -> Result<Vec<Taken>, store::Error> {
    let ids: Vec<Uuid> = messages.iter().map(|it| it.data.withdrawal_id()).collect();
    // The locks come before the look at what is known: whoever had them before
    // has committed by now, and what it took in is seen.
    let mut cases = Cases::lock(tx, &ids, at).await?;
    let mut table = Table::set(tx, &cases, messages, &desk.policy).await?;
    let mut sheet = Sheet { at, ..Sheet::default() };
    let mut results = Vec::with_capacity(messages.len());
    for message in messages {
        let form = form(message, &desk.vault);
        let taken = if let Some(differing) = table.repeats(message, &form) {
            if differing.is_empty() {
                Taken::Repeated
            } else {
                Taken::Refused(vec![refusal::conflict(&differing)])
            }
        } else {
            let seen = Seen::of(&cases, message);
            let result = table.apply(&mut cases, message, desk);
            sheet.keep(message, form, seen, &result);
            result.map_or_else(Taken::Refused, |_| Taken::Applied)
        };
        if let Taken::Refused(reasons) = &taken {
            refuse(&mut cases, message, reasons.clone());
        }
        results.push(taken);
    }
    instructions::put(tx, &sheet.instructions, at).await?;
    decisions::put(tx, &sheet.decisions, at).await?;
    store::resolutions::put(tx, &sheet.resolutions, at).await?;
    bank_accounts::insert(tx, &desk.vault, &table.book.new, at).await?;
    cases.write(tx, "decisions").await?;
    Ok(results)
}

/// What the messages of a batch are judged by.
struct Table {
    /// Messages that were taken in before, by source and id, with what they said.
    known: HashMap<(String, String), Option<Value>>,
    /// Whose approvals of the present effect stand, and how many it needs.
    quorums: Quorums,
    /// The receiving accounts.
    book: Book,
    /// Who proposed what became of legs in manual review.
    reviews: Reviews,
}

impl Table {
    async fn set(
        tx: &mut Tx,
        cases: &Cases,
        messages: &[Message],
        policy: &PayoutPolicy,
    ) -> Result<Self, store::Error> {
        let sources: Vec<&str> = messages.iter().map(|it| it.source.as_str()).collect();
        let event_ids: Vec<&str> = messages.iter().map(|it| it.id.as_str()).collect();
        let known = instructions::known(tx, &sources, &event_ids).await?;
        let known = known.into_iter().map(|it| ((it.source, it.event_id), it.form)).collect();
        let quorums = Quorums::read(tx, cases, messages, policy).await?;
        let details = messages.iter().filter_map(|it| match &it.data {
            Instruction::Details(details) => Some(details.withdrawal_id),
            Instruction::Decided(_) | Instruction::Resolved(_) => None,
        });
        let book = Book::read(tx, cases, &details.collect::<Vec<_>>()).await?;
        let resolved = messages.iter().filter_map(|it| match &it.data {
            Instruction::Resolved(resolved) => Some(resolved.withdrawal_id),
            Instruction::Decided(_) | Instruction::Details(_) => None,
        });
        let reviews = Reviews::read(tx, &resolved.collect::<Vec<_>>()).await?;
        Ok(Self { known, quorums, book, reviews })
    }

    /// The fields in which a message differs from the first under its source and
    /// id; nothing when it is itself the first, and known from now on.
    fn repeats(&mut self, message: &Message, form: &Value) -> Option<Vec<String>> {
        let key = (message.source.to_string(), message.id.to_string());
        match self.known.get(&key) {
            Some(Some(first)) => Some(differing_fields(first, form)),
            // What that one said was not kept at the time.
            Some(None) => Some(Vec::new()),
            None => {
                self.known.insert(key, Some(form.clone()));
                None
            }
        }
    }

    /// Applies a message, and answers with the word for what came of it.
    fn apply(&mut self, cases: &mut Cases, message: &Message, desk: &Desk) -> Result<&'static str, Refused> {
        match &message.data {
            Instruction::Decided(wish) => {
                verdicts::apply(cases, &mut self.quorums, wish, desk)
                    .map_err(|refusal| vec![refusal.problem()])?;
                Ok(APPLIED)
            }
            Instruction::Details(wish) => {
                details::apply(cases, &mut self.book, wish, desk)?;
                // What was approved is another effect now.
                self.quorums.forget(wish.withdrawal_id);
                Ok(APPLIED)
            }
            Instruction::Resolved(wish) => {
                self.reviews.apply(cases, wish).map_err(|refusal| vec![refusal.problem()])
            }
        }
    }
}

/// What a message was judged on: how things stood before it was applied.
struct Seen {
    /// The withdrawal's effect.
    effect: Option<Vec<u8>>,
    /// The sequence of the leg that the message names; 0 where there is none.
    review: i32,
}

impl Seen {
    fn of(cases: &Cases, message: &Message) -> Self {
        let case = cases.get(message.data.withdrawal_id());
        let review = match &message.data {
            Instruction::Resolved(wish) => cases.leg(wish.leg_id).map_or(0, |leg| leg.sequence),
            Instruction::Decided(_) | Instruction::Details(_) => 0,
        };
        Self { effect: case.and_then(|it| it.withdrawal.effect_digest.clone()), review }
    }
}

/// What a batch writes besides its cases.
#[derive(Default)]
struct Sheet {
    at: DateTime<Utc>,
    instructions: Vec<instructions::Instruction>,
    decisions: Vec<Decision>,
    resolutions: Vec<Resolution>,
}

impl Sheet {
    /// Keeps a message with what came of it.
    fn keep(&mut self, message: &Message, form: Value, seen: Seen, result: &Result<&'static str, Refused>) {
        let result = match result {
            Ok(word) => (*word).to_owned(),
            Err(reasons) => reasons.iter().map(|it| &*it.code).collect::<Vec<_>>().join(" "),
        };
        let actor = match &message.data {
            Instruction::Decided(wish) => {
                self.decisions.push(decision(message, wish, (seen.effect, result.clone())));
                &wish.actor
            }
            Instruction::Details(wish) => &wish.actor,
            Instruction::Resolved(wish) => {
                let id = (message.source.as_str(), message.id.as_str());
                let row = resolutions::row(id, wish, (seen.review, result.clone()), self.at);
                self.resolutions.push(row);
                &wish.actor
            }
        };
        self.instructions.push(instructions::Instruction {
            source: message.source.to_string(),
            event_id: message.id.to_string(),
            kind: message.kind.clone(),
            withdrawal_id: message.data.withdrawal_id(),
            form: Some(form),
            actor: actor.to_string(),
            result,
            received_at: self.at,
        });
    }
}

/// Tells the sender why a message changed nothing.
fn refuse(cases: &mut Cases, message: &Message, reasons: Refused) {
    let state = cases.get(message.data.withdrawal_id()).map(|it| it.withdrawal.state);
    let event = refused_event(message, state, reasons, cases.at());
    cases.publish(event);
}

fn decision(
    message: &Message,
    wish: &WithdrawalDecided,
    (effect_digest, result): (Option<Vec<u8>>, String),
) -> Decision {
    Decision {
        id: Uuid::now_v7(),
        source: message.source.to_string(),
        event_id: message.id.to_string(),
        withdrawal_id: wish.withdrawal_id,
        verdict: verdicts::verdict(wish.decision),
        actor: wish.actor.to_string(),
        reason: wish.reason.to_string(),
        result,
        effect_digest,
    }
}

/// What a message says, without secrets. Two messages have the same form if and
/// only if they say the same.
fn form(message: &Message, vault: &Vault) -> Value {
    let mut data = message.data.canonical();
    if let Instruction::Details(details) = &message.data
        && let Some(number) = &details.bank_account.number
    {
        data["bank_account"]["number"] = number_in_forms(number, vault).into();
    }
    json!({ "type": message.kind, "data": data })
}
