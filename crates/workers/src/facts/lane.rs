//! The facts of one account, sorted by their versions.

use std::collections::{BTreeMap, HashMap, HashSet};

use broker::contract::{self, Envelope, Problem, canonical_digest};
use chrono::{DateTime, Utc};
use domain::ledger;
use serde_json::json;
use store::accounts::Account;
use store::facts::FactRow;

use super::translate::translate;
use crate::dead_letter::Letter;

/// A fact in hand, just arrived or taken from those that wait.
#[derive(Debug)]
pub(super) struct Item<'a> {
    /// As it will be stored. Its body is there exactly if it waits already.
    pub(super) row: FactRow,
    /// As it was told.
    pub(super) told: contract::Fact,
    /// As the rules see it.
    pub(super) fact: ledger::Fact,
    /// The message, for a newly arrived one.
    pub(super) letter: Option<&'a Letter<'a>>,
    /// The bytes of the message, for one that waited.
    pub(super) kept: Vec<u8>,
}

impl<'a> Item<'a> {
    /// A fact that arrived at the moment `at`.
    pub(super) fn arrived(told: Envelope<contract::Fact>, letter: &'a Letter<'a>, at: DateTime<Utc>) -> Self {
        let row = FactRow {
            source: told.source.to_string(),
            event_id: told.id.to_string(),
            account_id: told.data.account_id().to_string(),
            version: i64::try_from(told.data.version()).expect("the contract's versions fit a bigint"),
            kind: told.kind.clone(),
            digest: content_digest(&told),
            body: None,
            received_at: at,
            applied_at: None,
            refused_at: None,
        };
        Self { row, fact: translate(&told.data), told: told.data, letter: Some(letter), kept: Vec::new() }
    }

    /// A fact that waited, opened again.
    pub(super) fn waited(row: FactRow, told: contract::Fact, kept: Vec<u8>) -> Self {
        Self { row, fact: translate(&told), told, letter: None, kept }
    }

    /// The message, to be parked.
    pub(super) fn to_letter(&self) -> Letter<'_> {
        match self.letter {
            Some(letter) => letter.clone(),
            None => Letter { message_id: None, redelivered: false, headers: json!({}), body: &self.kept },
        }
    }
}

/// What makes two messages under one id the same: type and data, not the time of sending.
fn content_digest(told: &Envelope<contract::Fact>) -> Vec<u8> {
    let data = serde_json::to_value(&told.data).expect("the contract's types serialise");
    let text = canonical_digest(&json!({ "type": told.kind, "data": data }));
    hex::decode(text).expect("a digest is hexadecimal")
}

/// An account and the facts in hand for it.
#[derive(Debug, Default)]
pub(super) struct Lane<'a> {
    /// The account as it was locked; none before its first fact.
    pub(super) account: Option<Account>,
    /// By version. Several only when a message and its correction came together.
    pub(super) pending: BTreeMap<i64, Vec<Item<'a>>>,
}

impl Lane<'_> {
    /// The last version that was applied.
    pub(super) fn known_version(&self) -> i64 {
        self.account.as_ref().map_or(0, |it| it.fact_version)
    }

    /// The facts that can be applied now: from the next version on, without a gap.
    pub(super) fn due(&self) -> impl Iterator<Item = &Item<'_>> {
        (self.known_version() + 1..).map_while(|version| self.pending.get(&version)).flatten()
    }
}

/// The lanes of a batch, and what does not get into one.
#[derive(Debug, Default)]
pub(super) struct Sorted<'a> {
    /// By account.
    pub(super) lanes: BTreeMap<String, Lane<'a>>,
    /// Contradict a message that was read before.
    pub(super) conflicts: Vec<(Item<'a>, Problem)>,
    /// How many were read before.
    pub(super) repeated: u64,
}

/// Sorts facts into the lanes of their accounts.
pub(super) fn sort<'a>(items: Vec<Item<'a>>, accounts: Vec<Account>, known: &[FactRow]) -> Sorted<'a> {
    let mut sorted = Sorted::default();
    for account in accounts {
        let id = account.id.clone();
        sorted.lanes.insert(id, Lane { account: Some(account), pending: BTreeMap::new() });
    }
    let message = |row: &FactRow| (row.source.clone(), row.event_id.clone());
    let mut read: HashMap<(String, String), Vec<u8>> =
        known.iter().map(|row| (message(row), row.digest.clone())).collect();
    let taken: HashSet<(&str, i64)> = known
        .iter()
        .filter(|row| row.refused_at.is_none())
        .map(|row| (row.account_id.as_str(), row.version))
        .collect();
    for item in items {
        if let Some(digest) = read.get(&message(&item.row)) {
            if *digest == item.row.digest {
                sorted.repeated += 1;
            } else {
                sorted.conflicts.push((item, event_conflict()));
            }
            continue;
        }
        read.insert(message(&item.row), item.row.digest.clone());
        let lane = sorted.lanes.entry(item.row.account_id.clone()).or_default();
        let version = item.row.version;
        if version <= lane.known_version() || taken.contains(&(item.row.account_id.as_str(), version)) {
            sorted.conflicts.push((item, version_conflict(version)));
        } else {
            lane.pending.entry(version).or_default().push(item);
        }
    }
    sorted
}

fn event_conflict() -> Problem {
    Problem::with_status(
        "event_conflict",
        409,
        "a message with this source and id, but other content, was read before",
    )
    .at("/id")
}

/// Another fact has this version of the account.
pub(super) fn version_conflict(version: i64) -> Problem {
    let detail = format!("another message has version {version} of this account");
    Problem::with_status("version_conflict", 409, detail).at("/data/version")
}
