//! The payout worker of the bank: files per cut-off instead of calls per leg (R17).
//!
//! ```text
//! payout.bank ─▶ alone ▸ a file in doubt? the same bytes again
//!                      ▸ else the due legs ▸ their run ▸ gate of the day ▸ claim + attempts + file COMMITTED
//!                └─▶ one send ─▶ what became of the file, and of each leg
//! ```
//!
//! A nudge only says that something is due: which legs go is read from the rows.
//! A cut-off has one run, which is a unique row, and a run has one file, or
//! several with numbers where it has more transfers than the bank takes at once.
//! A leg has one turn in a run: who comes late, or is put off by the bank, waits for the
//! next cut-off. Bytes that may have arrived are sent again unchanged or not at all.

mod claim;
mod turn;

use std::sync::Arc;

use broker::topology::payout_queue;
use broker::{Inbox, Settled};
use chrono::NaiveTime;
use domain::{Calendar, Money, Rail};
use gateways::{Order, Outcome, Receipt};
use store::bank_files;
use store::bank_runs::FileState;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use uuid::Uuid;

pub(crate) use self::claim::DAILY_TOTAL;
use crate::failpoint::failpoint;
use crate::gate::{Gate, Pass};
use crate::outcome::{Told, record_payments};
use crate::patience::patiently;
use crate::payout::{Call, RESTS, STOPPED, unsent};
use crate::{Error, Till, nudge, traceparent};

/// The name of this worker in messages to people.
const WORKER: &str = "the bank's payout worker";

/// When the bank's files go, and how much may be in them.
#[derive(Debug, Clone)]
pub struct BankRules {
    /// R7b: working days.
    pub calendar: Arc<Calendar>,
    /// R7: when bank payouts go out, as times of day in Asia/Shanghai on working days.
    pub cut_offs: Vec<NaiveTime>,
    /// The largest total of a bank day. What goes beyond waits for people.
    pub daily_total: Money,
    /// The most transfers in one file.
    pub file_transfers: u16,
}

impl Default for BankRules {
    /// Half past four, ten million yuan, a thousand transfers; no holidays.
    fn default() -> Self {
        Self {
            calendar: Arc::default(),
            cut_offs: domain::Policy::default().bank_cut_offs,
            daily_total: Money::from_minor(1_000_000_000),
            file_transfers: 1_000,
        }
    }
}

/// A file that may be sent: its bytes, its run and the attempt rows of its legs are committed.
pub(crate) struct Sending {
    file_id: Uuid,
    msg_id: String,
    bytes: Vec<u8>,
    calls: Vec<Call>,
    /// What is told of orders that had to stay out of it.
    unfit: Vec<Told<Outcome>>,
}

/// What a look at the rows led to.
enum Step {
    /// Nothing is to be sent now.
    Rest,
    /// Rows were put right; look again.
    Again,
    /// A file may be sent.
    Send(Sending),
    /// No order could be written down for the bank: nothing is sent.
    Tell(Vec<Told<Outcome>>),
}

/// What came of a step.
#[derive(Default)]
struct Came {
    /// The file that was sent, and what is known of it.
    file: Option<(Uuid, FileState)>,
    /// What is known of each transfer.
    told: Vec<Told<Outcome>>,
}

/// Runs until `stop` is raised, and not into the middle of a file.
///
/// # Errors
/// When only a restart or a person can help.
pub(crate) async fn run(mut inbox: Inbox, till: Till, stop: CancellationToken) -> Result<(), Error> {
    let gate = Gate::watch(till.database.clone(), Rail::Bank);
    while let Some(batch) = inbox.next_batch(&stop).await {
        let accept = || {
            let queue = payout_queue(Rail::Bank);
            nudge::accept(&batch.deliveries, queue, (&till.database, &till.vault), till.clock.now())
        };
        if patiently(WORKER, &stop, accept).await?.is_none() {
            break;
        }
        let Some(mut todo) = patiently(WORKER, &stop, || claim::step(&till)).await? else { break };
        // From here the rows carry the duty: whatever is due is told again.
        let lost = batch.ack().await == Settled::Lost;
        loop {
            let came = match todo {
                Step::Rest => break,
                Step::Again => Came::default(),
                Step::Tell(told) => Came { file: None, told },
                Step::Send(sending) => {
                    info!(
                        msg_id = sending.msg_id,
                        transfers = sending.calls.len(),
                        lost,
                        "A bank file goes out"
                    );
                    send(sending, &till, gate.clone()).await
                }
            };
            patiently(WORKER, &stop, || conclude(&came, &till)).await?;
            match patiently(WORKER, &stop, || claim::step(&till)).await? {
                Some(next) if !stop.is_cancelled() => todo = next,
                _ => break,
            }
        }
    }
    Ok(())
}

/// Sends whatever is due: the whole duty in one pass. Answers how many transfers
/// were sent.
///
/// # Errors
/// When the database is away or refuses.
pub(crate) async fn pass(till: &Till) -> Result<usize, store::Error> {
    let gate = Gate::watch(till.database.clone(), Rail::Bank);
    let mut sent = 0;
    loop {
        let came = match claim::step(till).await? {
            Step::Rest => return Ok(sent),
            Step::Again => continue,
            Step::Tell(told) => Came { file: None, told },
            Step::Send(sending) => {
                sent += sending.calls.len();
                send(sending, till, gate.clone()).await
            }
        };
        conclude(&came, till).await?;
    }
}

/// Writes what is known of a file and of its transfers, and when those go again
/// that the bank put off. Can be done twice.
async fn conclude(came: &Came, till: &Till) -> Result<(), store::Error> {
    let at = till.clock.now();
    if let Some((id, state)) = came.file {
        let mut tx = till.database.begin().await?;
        bank_files::note(&mut tx, id, (state, 0), at).await?;
        failpoint!("payout.bank-written");
        tx.commit().await?;
        failpoint!("payout.bank-noted");
    }
    record_payments(till, Rail::Bank, &came.told, at).await?;
    match came.file {
        Some((id, FileState::Answered)) => claim::put_off(till, id).await,
        _ => Ok(()),
    }
}

/// Sends a file, unless its claim ran out meanwhile.
async fn send(sending: Sending, till: &Till, mut gate: Gate) -> Came {
    let Sending { file_id, msg_id, bytes, calls, unfit } = sending;
    let lease_until = calls.iter().map(|it| it.lease_until).min().expect("a file has transfers");
    let circuit_version = calls.iter().map(|it| it.circuit_version).max().unwrap_or_default();
    let trusted_for = (lease_until - till.clock.now()).to_std().unwrap_or_default();
    let orders: Vec<Order> = calls.iter().map(|it| it.order.clone()).collect();
    let (receipt, answers) = match gate.ask(Instant::now() + trusted_for, circuit_version).await {
        Pass::Open if till.clock.now() < lease_until => {
            failpoint!("payout.bank-before-send");
            let trace = traceparent::of_file(file_id, calls.iter().map(|it| it.trace.clone()));
            let send = till.gateways.bank.send(&msg_id, bytes, &orders);
            let answer = traceparent::in_span(trace, (Rail::Bank, "file"), send, |it| it.0.into()).await;
            failpoint!("payout.bank-after-send");
            answer
        }
        Pass::Stopped => (Receipt::Unsent, vec![unsent(STOPPED); orders.len()]),
        Pass::Resting => (Receipt::Unsent, vec![unsent(RESTS); orders.len()]),
        Pass::Open | Pass::Unknown => {
            warn!(msg_id, "The claim of a bank file ran out before its call; settle takes its legs up");
            return Came { file: None, told: unfit };
        }
    };
    let state = match receipt {
        Receipt::Answered => FileState::Answered,
        Receipt::Unsent => FileState::Unsent,
        Receipt::Doubtful => FileState::Written,
    };
    info!(msg_id, file = %state, "A bank file was sent");
    let told =
        |(call, answer): (Call, Outcome)| Told { leg_id: call.leg_id, attempt_id: call.attempt_id, answer };
    Came {
        file: Some((file_id, state)),
        told: calls.into_iter().zip(answers).map(told).chain(unfit).collect(),
    }
}
