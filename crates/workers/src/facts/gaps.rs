//! What nobody's message wakes: facts that wait too long, chains that were cut,
//! and totals that differ.

use std::collections::HashMap;
use std::time::Duration;

use broker::contract::Problem;
use broker::topology::FACTS;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use store::facts::row_name;
use store::{accounts, books, facts};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{CHAIN_MAX, Desk, batch, stops};
use crate::dead_letter::{self, Letter, park};
use crate::failpoint::failpoint;
use crate::patience::patiently;
use crate::{Clock, Error};

/// The most accounts that one pass deals with.
const PASS_MAX: i64 = 100;

/// When to look, and from when on waiting is too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watch {
    /// A fact that waits longer than this for the ones before it is reported.
    pub gap_patience: TimeDelta,
    /// The pause between two looks, by the machine's time.
    pub every: Duration,
    /// The control totals are computed every so many looks; 0 is never.
    pub totals_every: u32,
}

impl Default for Watch {
    /// 15 minutes of patience, a look every 5 seconds, totals every 10 minutes.
    fn default() -> Self {
        Self { gap_patience: TimeDelta::minutes(15), every: Duration::from_secs(5), totals_every: 120 }
    }
}

/// Looks after waiting facts until `stop` is raised.
///
/// # Errors
/// When only a restart or a person can help.
pub async fn watch(desk: Desk, clock: Clock, watch: Watch, stop: CancellationToken) -> Result<(), Error> {
    let mut looks: u32 = 0;
    loop {
        let at = clock.now();
        patiently("facts watch", &stop, || resume(&desk, at)).await?;
        patiently("facts watch", &stop, || report_gaps(&desk, at, watch.gap_patience)).await?;
        looks = looks.wrapping_add(1);
        if watch.totals_every > 0 && looks.is_multiple_of(watch.totals_every) {
            patiently("facts watch", &stop, || check_totals(&desk, at)).await?;
        }
        tokio::select! {
            () = tokio::time::sleep(watch.every) => {}
            () = stop.cancelled() => return Ok(()),
        }
    }
}

/// Applies waiting facts whose turn has come without anybody noticing: the rest
/// of a long chain, or what waited behind a poisonous one. Answers with how many.
///
/// # Errors
/// When the database is away or refuses.
pub async fn resume(desk: &Desk, at: DateTime<Utc>) -> Result<u64, store::Error> {
    let mut applied = 0;
    loop {
        let mut tx = desk.database.begin().await?;
        let accounts = facts::resumable(&mut tx, PASS_MAX).await?;
        tx.commit().await?;
        if accounts.is_empty() {
            return Ok(applied);
        }
        let work = batch::Work { letters: &[], resume: &accounts, chain: CHAIN_MAX };
        let tally = batch::apply(desk, work, at).await?;
        if tally.applied + tally.refused == 0 {
            return Ok(applied);
        }
        applied += tally.applied;
        info!(applied = tally.applied, refused = tally.refused, "Facts that waited were applied");
    }
}

/// Reports the first waiting fact of each account whose patience is over: a dead
/// letter says which versions are missing, and the account's withdrawals stop.
///
/// The fact goes on waiting and is applied when the gap is filled; the stop ends
/// then too. Answers with how many were reported.
///
/// # Errors
/// When the database is away or refuses.
pub async fn report_gaps(desk: &Desk, at: DateTime<Utc>, patience: TimeDelta) -> Result<usize, store::Error> {
    let mut tx = desk.database.begin().await?;
    let overdue = facts::overdue(&mut tx, at - patience, PASS_MAX).await?;
    if overdue.is_empty() {
        return Ok(0);
    }
    let ids: Vec<String> = overdue.iter().map(|(row, _)| row.account_id.clone()).collect();
    let locked = accounts::lock(&mut tx, &ids).await?;
    let versions: HashMap<&str, i64> = locked.iter().map(|it| (it.id.as_str(), it.fact_version)).collect();
    let known = |account: &str| versions.get(account).copied().unwrap_or(0);
    let still: Vec<_> = overdue.iter().filter(|(row, _)| row.version > known(&row.account_id) + 1).collect();
    let sources: Vec<&str> = still.iter().map(|(row, _)| row.source.as_str()).collect();
    let event_ids: Vec<&str> = still.iter().map(|(row, _)| row.event_id.as_str()).collect();
    let new = facts::reported(&mut tx, &sources, &event_ids, at).await?;

    let (mut letters, mut stopped, mut because) = (Vec::new(), Vec::new(), Vec::new());
    for (row, _) in still {
        if !new.iter().any(|(source, id)| *source == row.source && *id == row.event_id) {
            continue;
        }
        let missing = missing_versions(known(&row.account_id) + 1, row.version - 1);
        let detail = format!("{missing} of the account did not come; this message waits for them");
        warn!(account_id = row.account_id, missing, "Facts of an account are missing");
        let problem = Problem::with_status("missing_versions", 424, detail).at("/data/version");
        let sealed = row.body.as_deref().unwrap_or_default();
        let body = desk.vault.open(&row_name(&row.source, &row.event_id), sealed)?;
        let letter =
            Letter { message_id: Some(&row.event_id), redelivered: false, headers: json!({}), body: &body };
        letters.push(park(letter, FACTS, &problem, &desk.vault));
        stopped.push(row.account_id.as_str());
        because.push(stops::missing(&missing));
    }
    let because: Vec<&str> = because.iter().map(String::as_str).collect();
    let count = letters.len();
    books::stop(&mut tx, &stopped, &because, at).await?;
    dead_letter::put(&mut tx, letters, at).await?;
    failpoint!("gaps.written");
    tx.commit().await?;
    failpoint!("gaps.committed");
    Ok(count)
}

pub(super) fn missing_versions(first: i64, last: i64) -> String {
    if first == last { format!("version {first}") } else { format!("versions {first} to {last}") }
}

/// Compares the totals of all accounts with their top-ups, and stops the
/// withdrawals of those that differ. Answers with how many do.
///
/// # Errors
/// When the database is away or refuses.
pub async fn check_totals(desk: &Desk, at: DateTime<Utc>) -> Result<usize, store::Error> {
    let mut tx = desk.database.begin().await?;
    let differing = books::control_total(&mut tx).await?;
    let ids: Vec<&str> = differing.iter().map(|it| it.account_id.as_str()).collect();
    let because: Vec<String> =
        differing.iter().map(|it| stops::totals_differ(&stops::differing(it.totals, it.sums))).collect();
    for (id, because) in ids.iter().zip(&because) {
        tracing::error!(account_id = id, because, "The totals of an account differ; its withdrawals stop");
    }
    let texts: Vec<&str> = because.iter().map(String::as_str).collect();
    books::stop(&mut tx, &ids, &texts, at).await?;
    tx.commit().await?;
    Ok(ids.len())
}
