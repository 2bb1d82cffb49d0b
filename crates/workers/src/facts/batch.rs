//! One batch in one transaction: lock, sort, read, apply, write.

use std::collections::BTreeSet;
use std::ops::AddAssign;

use broker::contract::{Problem, parse_fact};
use broker::topology::FACTS;
use chrono::{DateTime, Utc};
use domain::ledger::{Book, Refusal};
use store::facts::{self, FactRow, row_name};
use store::{Tx, Vault, accounts, books};

use super::lane::{Item, Lane, Sorted, sort, version_conflict};
use super::writing::Written;
use super::{Desk, reading, stops};
use crate::dead_letter::{self, Letter, park};
use crate::failpoint::failpoint;

/// What became of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Facts that changed the ledger, those that had waited included.
    pub applied: u64,
    /// Facts that came early and wait.
    pub waiting: u64,
    /// Messages that were read before.
    pub repeated: u64,
    /// Messages that were parked: malformed, in conflict or refused.
    pub refused: u64,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.applied += other.applied;
        self.waiting += other.waiting;
        self.repeated += other.repeated;
        self.refused += other.refused;
    }
}

/// What one transaction works on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Work<'a> {
    /// The messages.
    pub(super) letters: &'a [Letter<'a>],
    /// Accounts whose waiting facts are looked at without a message.
    pub(super) resume: &'a [String],
    /// The most waiting facts per account that are taken along.
    pub(super) chain: i64,
}

/// Takes a batch in one transaction.
pub(super) async fn apply(desk: &Desk, work: Work<'_>, at: DateTime<Utc>) -> Result<Tally, store::Error> {
    let mut written = Written::new(at);
    let mut items = Vec::with_capacity(work.letters.len());
    for letter in work.letters {
        match parse_fact(letter.body) {
            Ok(told) => items.push(Item::arrived(told, letter, at)),
            Err(problem) => written.dead_letters.push(park(letter.clone(), FACTS, &problem, &desk.vault)),
        }
    }
    let mut tx = desk.database.begin().await?;
    let mut sorted = lock_and_sort(&mut tx, items, work.resume).await?;
    fetch_waiting(&mut tx, &mut sorted, work, &desk.vault).await?;
    let mut books = reading::read(&mut tx, &sorted.lanes).await?;
    written.ids = std::mem::take(&mut books.ids);
    written.tally.repeated = sorted.repeated;
    for (item, problem) in sorted.conflicts {
        written.conflict(&item, &problem, &desk.vault);
    }
    for (account_id, lane) in sorted.lanes {
        let book = books.books.remove(&account_id).unwrap_or_default();
        run_lane(&account_id, lane, book, (&mut written, &desk.vault));
    }
    let tally = written.put(&mut tx, &desk.vault).await?;
    failpoint!("facts.written");
    tx.commit().await?;
    Ok(tally)
}

/// Locks the accounts and sorts the facts by what is known of them.
async fn lock_and_sort<'a>(
    tx: &mut Tx,
    items: Vec<Item<'a>>,
    resume: &[String],
) -> Result<Sorted<'a>, store::Error> {
    let named: BTreeSet<String> =
        items.iter().map(|item| item.row.account_id.clone()).chain(resume.iter().cloned()).collect();
    if named.is_empty() {
        return Ok(Sorted::default());
    }
    let named: Vec<String> = named.into_iter().collect();
    facts::lock_newcomers(tx, &named).await?;
    let accounts = accounts::lock(tx, &named).await?;
    let text =
        |pick: for<'i> fn(&'i FactRow) -> &'i str| items.iter().map(|it| pick(&it.row)).collect::<Vec<_>>();
    let versions: Vec<i64> = items.iter().map(|item| item.row.version).collect();
    let messages = (text(|row| &row.source), text(|row| &row.event_id));
    let known =
        facts::known(tx, (&messages.0, &messages.1), (&text(|row| &row.account_id), &versions)).await?;
    Ok(sort(items, accounts, &known))
}

/// Takes along the facts that wait behind those that are due now.
async fn fetch_waiting(
    tx: &mut Tx,
    sorted: &mut Sorted<'_>,
    work: Work<'_>,
    vault: &Vault,
) -> Result<(), store::Error> {
    let moving = |(id, lane): (&String, &Lane<'_>)| {
        let next = lane.known_version() + 1;
        (lane.pending.contains_key(&next) || work.resume.contains(id)).then_some((id.clone(), next))
    };
    let (ids, from): (Vec<String>, Vec<i64>) = sorted.lanes.iter().filter_map(moving).unzip();
    if ids.is_empty() || work.chain == 0 {
        return Ok(());
    }
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    for row in facts::waiting(tx, &ids, &from, work.chain).await? {
        let name = row_name(&row.source, &row.event_id);
        let unreadable = |why: String| store::Error::Unreadable(format!("{name}: {why}"));
        let sealed = row.body.as_deref().ok_or_else(|| unreadable("waits without a body".to_owned()))?;
        let kept = vault.open(&name, sealed)?;
        let told = parse_fact(&kept).map_err(|problem| unreadable(problem.to_string()))?;
        let lane = sorted.lanes.get_mut(&row.account_id).expect("waiting facts are read for lanes in hand");
        lane.pending.entry(row.version).or_default().push(Item::waited(row, told.data, kept));
    }
    Ok(())
}

/// Applies the due facts of one account and keeps the others.
fn run_lane(account_id: &str, mut lane: Lane<'_>, mut book: Book, (written, vault): (&mut Written, &Vault)) {
    let before = lane.known_version();
    let mut version = before;
    let mut stop = None;
    while let Some(candidates) = lane.pending.remove(&(version + 1)) {
        let mut accepted = false;
        for item in candidates {
            if accepted {
                written.conflict(&item, &version_conflict(version + 1), vault);
                continue;
            }
            match book.apply(version + 1, &item.fact) {
                Ok(moves) => {
                    written.accept(item, moves, &book);
                    accepted = true;
                }
                Err(refusal) => {
                    stop = Some(stops::refused(&item.row, &refusal));
                    written.refuse(item, &problem(&refusal), vault);
                }
            }
        }
        if !accepted {
            break;
        }
        stop = None;
        version += 1;
    }
    for (version, candidates) in lane.pending {
        let mut arrived = candidates.into_iter().filter(|item| item.letter.is_some());
        if let Some(first) = arrived.next() {
            written.keep(first, vault);
        }
        for other in arrived {
            written.conflict(&other, &version_conflict(version), vault);
        }
    }
    if version > before {
        written.book(account_id, &book);
    }
    let stopped = lane.account.and_then(|it| it.stopped_because);
    let stops_or_ends =
        stop.is_some() || (version > before && stopped.as_deref().is_some_and(stops::ends_with_next_fact));
    let stopped_because = if stops_or_ends && stopped.as_deref().is_none_or(stops::ends_with_next_fact) {
        stop
    } else {
        stopped
    };
    written.totals(account_id, &book, version, stopped_because);
}

fn problem(refusal: &Refusal) -> Problem {
    Problem::with_status(refusal.code(), 409, refusal.to_string()).at("/data")
}

/// Parks a message that the database refuses by itself, and stops its account.
pub(super) async fn park_poison(
    desk: &Desk,
    letter: &Letter<'_>,
    at: DateTime<Utc>,
) -> Result<Tally, store::Error> {
    let detail = "the database refuses it; the log of the facts worker says why";
    let problem = Problem::with_status("cannot_be_stored", 500, detail);
    let mut tx = desk.database.begin().await?;
    if let Ok(told) = parse_fact(letter.body) {
        let account = told.data.account_id().to_string();
        accounts::lock(&mut tx, std::slice::from_ref(&account)).await?;
        books::stop(&mut tx, &[&account], &[&stops::unstorable(told.data.version())], at).await?;
    }
    dead_letter::put(&mut tx, vec![park(letter.clone(), FACTS, &problem, &desk.vault)], at).await?;
    tx.commit().await?;
    Ok(Tally { refused: 1, ..Tally::default() })
}
