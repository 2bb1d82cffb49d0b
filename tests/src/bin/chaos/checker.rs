//! Whether everything that was promised was kept, by evidence from outside.
//!
//! The product's own invariants are asked with the gateways' book. What it cannot
//! know by itself comes from others: the list of what the broker accepted, the
//! simulator's book, a queue that heard every event, and an allocator of our own.

mod allocator;
mod audit;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use serde::Deserialize;
use sqlx::Row;
use store::verify::{GatewayMovement, verify};
use uuid::Uuid;

use crate::audience::{self, Heard};
use crate::scene::Scene;
use crate::upstream::SOURCE;

/// People above the automatic amount.
const APPROVERS: i64 = 2;

/// A kind of violation is shown so often.
const SHOWN: usize = 5;

/// What the driver saw the broker accept.
#[derive(Debug, Default, Clone)]
pub(crate) struct Accepted {
    /// Requests, by id.
    pub(crate) requests: BTreeSet<String>,
    /// Messages that nobody can use, by message id.
    pub(crate) poison: BTreeSet<String>,
    /// Approvals that the API answered: about which withdrawal, and whose.
    pub(crate) approvals: BTreeSet<(String, String)>,
}

/// What came of a run.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    /// What must not be: the invariant, and what is wrong.
    pub(crate) violations: Vec<(String, String)>,
    /// Movements in the simulator's book.
    pub(crate) movements: usize,
    /// How many withdrawals ended how.
    pub(crate) ends: BTreeMap<String, i64>,
    /// Legs that people must look at.
    pub(crate) for_people: usize,
    /// Approvals in the audit.
    pub(crate) audited: usize,
    /// Events that were heard, and how many of them were repeats.
    pub(crate) events: (u64, u64),
}

impl Verdict {
    /// Adds what is wrong.
    pub(crate) fn accuse(&mut self, invariant: &str, what: String) {
        self.violations.push((invariant.to_owned(), what));
    }

    /// The violations, a few of each kind.
    pub(crate) fn shown(&self) -> Vec<String> {
        let mut count: BTreeMap<&str, usize> = BTreeMap::new();
        let mut lines = Vec::new();
        for (invariant, what) in &self.violations {
            let place = count.entry(invariant).or_default();
            *place += 1;
            if *place <= SHOWN {
                lines.push(format!("{invariant} {what}"));
            }
        }
        lines.extend(
            count.iter().filter(|(_, it)| **it > SHOWN).map(|(id, it)| format!("{id}: {} more", it - SHOWN)),
        );
        lines
    }
}

#[derive(Deserialize)]
struct Book {
    movements: Vec<Movement>,
    paid_twice_numbers: Vec<String>,
}

#[derive(Deserialize)]
struct Movement {
    number: String,
    amount_fen: i64,
    kind: String,
}

/// Asks everything, once nothing moves any more.
///
/// # Errors
/// When a server or the simulator does not answer.
pub(crate) async fn check(scene: &Scene, accepted: &Accepted) -> Result<Verdict> {
    let mut verdict = Verdict::default();
    books(scene, &mut verdict).await.context("comparing the books")?;
    requests(scene, accepted, &mut verdict).await.context("looking for requests")?;
    let heard = audience::listen(&scene.connections).await.context("reading the events")?;
    events(scene, &heard, &mut verdict).await.context("comparing the events")?;
    outcomes(accepted, &heard, &mut verdict);
    letters(scene, accepted, &mut verdict).await.context("comparing the dead letters")?;
    times(scene, &mut verdict).await.context("comparing the times")?;
    audit::check(scene, accepted, &mut verdict).await.context("recomputing the audit")?;
    allocator::check(scene, &mut verdict).await.context("allocating again")?;
    verdict.events = (heard.events, heard.repeats);
    Ok(verdict)
}

/// All that the product knows to ask of itself, with the gateways' book. What people must look at,
/// and what has not ended (I12 tells), is no evidence for or against.
async fn books(scene: &Scene, verdict: &mut Verdict) -> Result<()> {
    let book: Book = serde_json::from_value(scene.ask("/_sim/book").await?)?;
    for number in book.paid_twice_numbers {
        verdict.accuse("I06", format!("the gateway paid {number} twice"));
    }
    let undecided = "select payout_no, state from leg where state in ('manual_review', 'dispatching', 'submitted', 'unknown')";
    let undecided: BTreeMap<String, String> =
        sqlx::query_as(undecided).fetch_all(scene.database.pool()).await?.into_iter().collect();
    verdict.for_people = undecided.values().filter(|it| *it == "manual_review").count();
    verdict.movements = book.movements.len();
    let movement = |it: Movement| GatewayMovement {
        payout_no: it.number,
        amount: it.amount_fen,
        kind: if it.kind == "return" { "return" } else { "payout" },
    };
    let known = |it: &Movement| !undecided.contains_key(&it.number);
    let movements: Vec<_> = book.movements.into_iter().filter(known).map(movement).collect();
    for it in verify(&scene.database, Some(&movements), APPROVERS, scene.time.now()).await? {
        verdict.accuse(&it.invariant, format!("{}: {}", it.subject, it.detail));
    }
    Ok(())
}

/// I10, I12: every accepted request is a withdrawal, and it has ended.
async fn requests(scene: &Scene, accepted: &Accepted, verdict: &mut Verdict) -> Result<()> {
    let rows = sqlx::query("select request_id, state from withdrawal where source = $1").bind(SOURCE);
    let mut known = BTreeSet::new();
    for row in rows.fetch_all(scene.database.pool()).await? {
        let (id, state): (String, String) = (row.try_get("request_id")?, row.try_get("state")?);
        *verdict.ends.entry(state.clone()).or_default() += 1;
        let ends = [
            "rejected",
            "completed",
            "partially_completed",
            "failed",
            "denied",
            "canceled",
            "expired",
            "action_required",
        ];
        if !ends.contains(&state.as_str()) {
            verdict.accuse("I12", format!("the request {id} is {state}, which is no end of it"));
        }
        known.insert(id);
    }
    for id in accepted.requests.difference(&known) {
        verdict.accuse("I10", format!("the request {id} was accepted by the broker and is lost"));
    }
    for id in known.difference(&accepted.requests) {
        verdict.accuse("I10", format!("the request {id} was never sent"));
    }
    Ok(())
}

/// I15: every transition was told, in order, and nothing else.
async fn events(scene: &Scene, heard: &Heard, verdict: &mut Verdict) -> Result<()> {
    let moves = "select withdrawal_id, sequence::bigint as sequence from transition
                  where leg_id is null and to_state <> 'received' order by withdrawal_id, sequence";
    let mut told: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for row in sqlx::query(moves).fetch_all(scene.database.pool()).await? {
        let id: Uuid = row.try_get("withdrawal_id")?;
        told.entry(id.to_string()).or_default().push(row.try_get("sequence")?);
    }
    for (id, sequences) in &told {
        match heard.sequences.get(id) {
            Some(heard) if heard == sequences => {}
            Some(heard) => {
                verdict.accuse("I15", format!("{id} was told as {heard:?} and moved as {sequences:?}"));
            }
            None => verdict.accuse("I15", format!("nothing was told of {id}")),
        }
    }
    for id in heard.sequences.keys().filter(|it| !told.contains_key(*it)) {
        verdict.accuse("I15", format!("an event tells of {id}, which does not exist"));
    }
    Ok(())
}

/// I10: whoever asked has heard.
fn outcomes(accepted: &Accepted, heard: &Heard, verdict: &mut Verdict) {
    for id in accepted.requests.iter().filter(|it| !heard.requests.contains_key(*it)) {
        verdict.accuse("I10", format!("nobody was told what became of the request {id}"));
    }
}

/// F16: each message that nobody can use has one row and a dead letter that names it, and
/// nothing is only in the queue of dead letters.
async fn letters(scene: &Scene, accepted: &Accepted, verdict: &mut Verdict) -> Result<()> {
    let rows = sqlx::query("select id, message_id from parked_message");
    let mut parked: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in rows.fetch_all(scene.database.pool()).await? {
        let (id, message): (Uuid, Option<String>) = (row.try_get("id")?, row.try_get("message_id")?);
        parked.entry(message.unwrap_or_default()).or_default().push(id.to_string());
    }
    let letters = audience::dead_letters(&scene.connections).await?;
    for id in &accepted.poison {
        match parked.get(id).map(Vec::as_slice) {
            Some([row]) if letters.by_row.contains_key(row) => {}
            Some([_]) => verdict.accuse("I10", format!("{id} is parked and has no dead letter")),
            Some(rows) => verdict.accuse("I10", format!("{id} is parked {} times", rows.len())),
            None => verdict.accuse("I10", format!("{id} cannot be used and was not parked")),
        }
    }
    for id in letters.given_up.iter().filter(|it| letters.waiting == 0 && !parked.contains_key(*it)) {
        verdict.accuse("I10", format!("the broker gave up on {id}, and it is nowhere"));
    }
    Ok(())
}

/// I21: no leg was sent before its time, as far as its only send can tell.
async fn times(scene: &Scene, verdict: &mut Verdict) -> Result<()> {
    let early = "select leg.payout_no
                   from leg
                   join attempt on attempt.leg_id = leg.id and attempt.kind = 'pay'
                  where leg.attempts = 1 and leg.state <> 'scheduled'
                    and attempt.started_at < leg.dispatch_at";
    let early: Vec<String> = sqlx::query_scalar(early).fetch_all(scene.database.pool()).await?;
    for number in early {
        verdict.accuse("I21", format!("{number} was sent before its time"));
    }
    Ok(())
}
