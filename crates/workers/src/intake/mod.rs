//! The intake worker: requests come in from upstream, decisions go down.
//!
//! ```text
//! outflow.requests ─▶ next_batch ─▶ known? answer · lock accounts ▸ decide in memory ─▶ one transaction ─▶ ack
//! ```
//!
//! Delivery is at least once. The effect is exactly once, because a request's
//! `(source, id)` is unique for ever: a crash between the commit and the
//! acknowledgement costs one answer more.
//!
//! A request that is refused is a row and an event too, with every reason. Only
//! a message that nobody can read, or that the database itself refuses, becomes
//! a dead letter.

mod ask;
mod purse;
mod rehearsal;
mod repeats;
mod rows;

use broker::contract::{Envelope, Problem, WithdrawalRequested, parse_request};
use broker::topology::REQUESTS;
use broker::{Batch, Delivery, Inbox, Settled};
use chrono::{DateTime, Utc};
use domain::Policy;
use store::outbox::Outgoing;
use store::parked::Parked;
use store::withdrawals::Withdrawal;
use store::{Database, Tx, Vault};
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

pub(crate) use self::ask::{card, number_in_forms};
use self::purse::Purses;
pub(crate) use self::purse::{account_of, slice_of};
pub use self::rehearsal::{Foreseen, ForeseenLeg, rehearse};
use self::repeats::Known;
pub(crate) use self::rows::bank_account;
pub use self::rows::{payout_no, problem};
use crate::dead_letter::{self, park};
use crate::failpoint::{failpoint, planted};
use crate::patience::patiently;
use crate::verification::Proofs;
use crate::{Clock, Error, traceparent};

/// A request that was read.
pub type Message = Envelope<WithdrawalRequested>;

/// The name of this worker in traces.
const WORKER: &str = "intake";

/// What the intake decides by.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Windows, limits and waiting times.
    pub policy: Policy,
    /// R10: whether requests carry a proof, and whose proofs count.
    pub proofs: Proofs,
    /// Seals bank account numbers and messages that cannot be read.
    pub vault: Vault,
}

/// What a batch came to.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// Planned and held.
    pub accepted: usize,
    /// Refused by a rule.
    pub rejected: usize,
    /// Known already.
    pub repeated: usize,
    /// Not readable as a request.
    pub malformed: usize,
}

impl Tally {
    fn plus(self, other: Self) -> Self {
        Self {
            accepted: self.accepted + other.accepted,
            rejected: self.rejected + other.rejected,
            repeated: self.repeated + other.repeated,
            malformed: self.malformed + other.malformed,
        }
    }
}

/// Runs until `stop` is raised, and then finishes the batch in hand.
///
/// # Errors
/// When only a restart or a person can help.
pub async fn run(
    mut inbox: Inbox,
    database: Database,
    rules: Rules,
    clock: Clock,
    stop: CancellationToken,
) -> Result<(), Error> {
    while let Some(batch) = inbox.next_batch(&stop).await {
        failpoint!("intake.taken");
        if planted!("ack-first") {
            acknowledge_first(batch, &database, &rules, clock.now()).await?;
            continue;
        }
        let Some(tally) = take_all(&database, &rules, &clock, &batch.deliveries, &stop).await? else {
            break; // Nothing is acknowledged, so the broker delivers the batch again.
        };
        failpoint!("intake.committed");
        // A lost acknowledgement brings the batch again, and it will be known then.
        let lost = batch.ack().await == Settled::Lost;
        failpoint!("intake.acknowledged");
        let Tally { accepted, rejected, repeated, malformed } = tally;
        info!(accepted, rejected, repeated, malformed, lost, "Intake committed a batch");
    }
    Ok(())
}

/// Takes in a batch. When the database refuses it for what is in it, it is split
/// until the one message that spoils it is alone, and that one is parked.
///
/// `None` when `stop` is raised while the database is away.
async fn take_all(
    database: &Database,
    rules: &Rules,
    clock: &Clock,
    deliveries: &[Delivery],
    stop: &CancellationToken,
) -> Result<Option<Tally>, store::Error> {
    let mut tally = Tally::default();
    let mut parts = vec![deliveries];
    while let Some(part) = parts.pop() {
        let taken = patiently("the intake", stop, || take(database, rules, part, clock.now())).await;
        match taken {
            Ok(Some(done)) => tally = tally.plus(done),
            Ok(None) => return Ok(None),
            Err(reason) if reason.lies_in_the_data() && part.len() > 1 => {
                let (first, second) = part.split_at(part.len() / 2);
                parts.extend([second, first]);
            }
            Err(reason) if reason.lies_in_the_data() => {
                error!(%reason, "Intake parks a message that the database refuses");
                let lone = || park_refused(database, rules, part, clock.now());
                if patiently("the intake", stop, lone).await?.is_none() {
                    return Ok(None);
                }
                tally.malformed += part.len();
            }
            Err(reason) => return Err(reason),
        }
    }
    Ok(Some(tally))
}

/// The planted bug of a test: what is acknowledged before its commit is lost with the process.
async fn acknowledge_first(
    batch: Batch,
    database: &Database,
    rules: &Rules,
    at: DateTime<Utc>,
) -> Result<(), store::Error> {
    let (messages, _) = read(&batch.deliveries, &rules.vault);
    let _ = batch.ack().await;
    admit(database, rules, &messages, at).await.map(drop)
}

/// Takes in deliveries in one transaction, whatever they hold.
async fn take(
    database: &Database,
    rules: &Rules,
    deliveries: &[Delivery],
    at: DateTime<Utc>,
) -> Result<Tally, store::Error> {
    let (messages, refused) = read(deliveries, &rules.vault);
    let malformed = refused.len();
    let mut tx = database.begin().await?;
    dead_letter::put(&mut tx, refused, at).await?;
    let tally = admit_in(&mut tx, rules, &messages, at).await?;
    tx.commit().await?;
    Ok(Tally { malformed, ..tally })
}

/// Admits requests in one transaction of its own.
///
/// # Errors
/// [`store::Error::Stale`] when another worker decides one of the same requests
/// at this moment: admit them again.
pub async fn admit(
    database: &Database,
    rules: &Rules,
    messages: &[Message],
    at: DateTime<Utc>,
) -> Result<Tally, store::Error> {
    let mut tx = database.begin().await?;
    let tally = admit_in(&mut tx, rules, messages, at).await?;
    tx.commit().await?;
    Ok(tally)
}

/// What became of one request.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The withdrawal that answers it, as it is now.
    pub withdrawal: Withdrawal,
    /// It came before, and decided nothing now.
    pub repeated: bool,
    /// The fields in which it differs from the one that came before.
    pub differing: Vec<String>,
}

/// Admits one request in a transaction of the caller's, who wants to know what
/// became of it: the same decision as from the queue, under the same key.
///
/// # Errors
/// [`store::Error::Stale`] when another worker decides the same request at this
/// moment: roll back and admit it again.
///
/// # Panics
/// Never: a request is new, or it is known.
pub async fn admit_one(
    tx: &mut Tx,
    rules: &Rules,
    message: &Message,
    at: DateTime<Utc>,
) -> Result<Answer, store::Error> {
    let (_, written, repeats) = decide_in(tx, rules, std::slice::from_ref(message), at).await?;
    if let Some(known) = repeats.first() {
        let withdrawal = known.answer(&written).clone();
        return Ok(Answer { withdrawal, repeated: true, differing: known.differing.clone() });
    }
    let withdrawal = written.into_iter().next().expect("a request is new, or it is known");
    Ok(Answer { withdrawal, repeated: false, differing: Vec::new() })
}

async fn admit_in(
    tx: &mut Tx,
    rules: &Rules,
    messages: &[Message],
    at: DateTime<Utc>,
) -> Result<Tally, store::Error> {
    decide_in(tx, rules, messages, at).await.map(|(tally, _, _)| tally)
}

/// Decides requests: what they came to, the withdrawals of the new ones, and the others.
async fn decide_in(
    tx: &mut Tx,
    rules: &Rules,
    messages: &[Message],
    at: DateTime<Utc>,
) -> Result<(Tally, Vec<Withdrawal>, Vec<Known>), store::Error> {
    let asks = ask::read(messages, rules);
    // The locks come before the look at what is known: whoever had them before
    // has committed by now, and what it decided is seen.
    let mut purses = Purses::lock(tx, &asks).await?;
    let (new, repeats) = repeats::tell_apart(tx, &asks).await?;
    let decided = purses.decide_all(tx, &asks, &new, (rules, at)).await?;
    let accepted = decided.iter().filter(|it| it.outcome.is_ok()).count();
    let rejected = decided.len() - accepted;
    let repeated = repeats.len();
    let written = rows::write(tx, decided, &purses, (rules, at)).await?;
    repeats::write(tx, &repeats, &written, at).await?;
    failpoint!("intake.written");
    Ok((Tally { accepted, rejected, repeated, malformed: 0 }, written, repeats))
}

fn read(deliveries: &[Delivery], vault: &Vault) -> (Vec<Message>, Vec<(Parked, Outgoing)>) {
    let (mut messages, mut refused) = (Vec::with_capacity(deliveries.len()), Vec::new());
    for delivery in deliveries {
        match parse_request(&delivery.body) {
            Ok(message) => messages.push(traceparent::of_message(message, delivery)),
            Err(problem) => refused.push(park(delivery, REQUESTS, &problem, vault)),
        }
    }
    (messages, refused)
}

async fn park_refused(
    database: &Database,
    rules: &Rules,
    deliveries: &[Delivery],
    at: DateTime<Utc>,
) -> Result<(), store::Error> {
    let problem =
        Problem::with_status("refused_by_database", 500, "the database refuses what it would write");
    let refused = deliveries.iter().map(|it| park(it, REQUESTS, &problem, &rules.vault)).collect();
    let mut tx = database.begin().await?;
    dead_letter::put(&mut tx, refused, at).await?;
    tx.commit().await?;
    Ok(())
}
