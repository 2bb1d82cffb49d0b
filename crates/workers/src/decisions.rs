//! The decisions worker: what people decide about withdrawals.
//!
//! ```text
//! outflow.decisions ─▶ known? drop · lock cases ─▶ apply in order ─▶ write with results ─▶ ack
//! ```
//!
//! A decision that comes too late, from the wrong person or for another effect
//! is not an error of the system: it is kept with the rule that refused it, and
//! an event says so.

use std::collections::{BTreeMap, BTreeSet};

use broker::contract::{Decision as Wish, Envelope, WithdrawalDecided};
use broker::topology::DECISIONS;
use broker::{Delivery, Inbox, Settled};
use chrono::{DateTime, Utc};
use domain::{LegEvent, LegState, WithdrawalEvent, WithdrawalState};
use store::decisions::{self, Decision, Verdict};
use store::{Database, Tx, Vault};
use tokio_util::sync::CancellationToken;
use tracing::info;
use uuid::Uuid;

use crate::approval::approve;
use crate::cases::Cases;
use crate::dead_letter::{self, park};
use crate::patience::patiently;
use crate::{Clock, Error, PayoutPolicy};

/// The result of a decision that took effect.
const APPLIED: &str = "applied";

/// A decision that was read.
pub type Message = Envelope<WithdrawalDecided>;

/// What the worker decides by.
#[derive(Debug, Clone)]
pub struct Desk {
    /// Who may approve what, and what follows.
    pub policy: PayoutPolicy,
    /// Seals what cannot be read.
    pub vault: Vault,
}

/// Why a decision did not take effect. The text form is kept with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::Display, strum::IntoStaticStr)]
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
        let work = || take(&database, &batch.deliveries, &desk, clock.now());
        let Some(applied) = patiently("the decisions", &stop, work).await? else { break };
        let read = batch.len();
        let lost = batch.ack().await == Settled::Lost;
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
        match broker::contract::parse_decision(&delivery.body) {
            Ok(message) => read.push(message),
            Err(problem) => refused.push(park(delivery, DECISIONS, &problem, &desk.vault)),
        }
    }
    let mut tx = database.begin().await?;
    dead_letter::put(&mut tx, refused, at).await?;
    let applied = decide_in(&mut tx, read, &desk.policy, at).await?;
    tx.commit().await?;
    Ok(applied)
}

/// Applies decisions in one transaction, in the order in which they came, and
/// answers how many took effect.
///
/// # Errors
/// When the database is away or refuses.
pub async fn decide(
    database: &Database,
    messages: Vec<Message>,
    policy: &PayoutPolicy,
    at: DateTime<Utc>,
) -> Result<usize, store::Error> {
    let mut tx = database.begin().await?;
    let applied = decide_in(&mut tx, messages, policy, at).await?;
    tx.commit().await?;
    Ok(applied)
}

async fn decide_in(
    tx: &mut Tx,
    messages: Vec<Message>,
    policy: &PayoutPolicy,
    at: DateTime<Utc>,
) -> Result<usize, store::Error> {
    let fresh = without_known(tx, messages).await?;
    let ids: Vec<Uuid> = fresh.iter().map(|it| it.data.withdrawal_id).collect();
    let mut cases = Cases::lock(tx, &ids, at).await?;
    let mut approvers: BTreeMap<Uuid, BTreeSet<String>> = BTreeMap::new();
    for (withdrawal, actor) in decisions::approvers(tx, &ids).await? {
        approvers.entry(withdrawal).or_default().insert(actor);
    }
    let mut kept = Vec::with_capacity(fresh.len());
    for message in &fresh {
        let approvers = approvers.entry(message.data.withdrawal_id).or_default();
        let result = apply(&mut cases, approvers, message, policy);
        kept.push(Decision {
            id: Uuid::now_v7(),
            source: message.source.to_string(),
            event_id: message.id.to_string(),
            withdrawal_id: message.data.withdrawal_id,
            verdict: verdict(message.data.decision),
            actor: message.data.actor.to_string(),
            reason: message.data.reason.to_string(),
            result: result.map_or_else(|refusal| refusal.to_string(), |()| APPLIED.to_owned()),
        });
    }
    let applied = kept.iter().filter(|it| it.result == APPLIED).count();
    decisions::put(tx, &kept, at).await?;
    cases.write(tx, "decisions").await?;
    Ok(applied)
}

/// Leaves out what was decided on before, and repeats within the batch.
async fn without_known(tx: &mut Tx, read: Vec<Message>) -> Result<Vec<Message>, store::Error> {
    let sources: Vec<&str> = read.iter().map(|it| it.source.as_str()).collect();
    let event_ids: Vec<&str> = read.iter().map(|it| it.id.as_str()).collect();
    let mut seen: BTreeSet<(String, String)> =
        decisions::known(tx, &sources, &event_ids).await?.into_iter().collect();
    Ok(read.into_iter().filter(|it| seen.insert((it.source.to_string(), it.id.to_string()))).collect())
}

/// Applies one decision to the cases in hand. `approvers` are those whose
/// approvals of this withdrawal stand; one that takes effect joins them.
fn apply(
    cases: &mut Cases,
    approvers: &mut BTreeSet<String>,
    message: &Message,
    policy: &PayoutPolicy,
) -> Result<(), Refusal> {
    let wish = &message.data;
    let id = wish.withdrawal_id;
    let (actor, reason) = (wish.actor.as_str(), wish.reason.as_str());
    let withdrawal = &cases.get(id).ok_or(Refusal::UnknownWithdrawal)?.withdrawal;
    match wish.decision {
        Wish::Approve => {
            if withdrawal.state != WithdrawalState::PendingApproval {
                return Err(Refusal::TooLate);
            }
            if withdrawal.requester == actor {
                return Err(Refusal::RequesterCannotApprove);
            }
            let effect = withdrawal.effect_digest.as_deref().map(hex::encode);
            if wish.effect_digest.as_ref().is_some_and(|it| effect.as_deref() != Some(it.as_str())) {
                return Err(Refusal::EffectChanged);
            }
            if !approvers.insert(actor.to_owned()) {
                return Err(Refusal::AlreadyApproved);
            }
            if approvers.len() >= policy.approvers {
                approve(cases, id, policy, actor, Some(reason));
            }
            Ok(())
        }
        Wish::Deny => give_back(cases, id, WithdrawalEvent::Deny, (actor, reason)),
        Wish::Cancel => give_back(cases, id, WithdrawalEvent::Cancel, (actor, reason)),
    }
}

/// Ends a withdrawal that nothing of has been dispatched, and releases its money.
///
/// A cancel wins or loses cleanly against the first dispatch: both hold the
/// lock of the withdrawal, and the later one finds the other's states.
pub(crate) fn give_back(
    cases: &mut Cases,
    id: Uuid,
    event: WithdrawalEvent,
    (by, note): (&str, &str),
) -> Result<(), Refusal> {
    let legs: Vec<(Uuid, LegState)> =
        cases.get(id).ok_or(Refusal::UnknownWithdrawal)?.legs.iter().map(|leg| (leg.id, leg.state)).collect();
    let untouched =
        |state: &LegState| matches!(state, LegState::Planned | LegState::Scheduled | LegState::Held);
    if !legs.iter().all(|(_, state)| untouched(state)) {
        return Err(Refusal::TooLate);
    }
    cases.move_withdrawal(id, event, by, Some(note)).map_err(|_| Refusal::TooLate)?;
    for (leg, _) in legs {
        cases.move_leg(leg, LegEvent::Cancel, by, None).expect("an untouched leg can be canceled");
    }
    Ok(())
}

const fn verdict(wish: Wish) -> Verdict {
    match wish {
        Wish::Approve => Verdict::Approve,
        Wish::Deny => Verdict::Deny,
        Wish::Cancel => Verdict::Cancel,
    }
}
