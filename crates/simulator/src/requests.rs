//! The newest requests, for people and scripts who ask what arrived.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

/// How many requests are remembered.
const CAPACITY: usize = 1_000;

/// One request, as it ended.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Note {
    /// Counted from one over the life of the process.
    pub(crate) sequence: u64,
    /// The simulator's clock, RFC 3339.
    pub(crate) at: String,
    pub(crate) method: String,
    pub(crate) path: String,
    /// The HTTP status, or none when no answer left.
    pub(crate) status: Option<u16>,
    /// Its W3C `traceparent`, as it came.
    pub(crate) traceparent: Option<String>,
}

#[derive(Default)]
struct Notes {
    newest: VecDeque<Note>,
    seen: u64,
}

/// A bounded list of notes.
#[derive(Default)]
pub(crate) struct Ring {
    notes: Mutex<Notes>,
}

impl Ring {
    /// Adds a note, numbering it and dropping the oldest when full.
    pub(crate) fn add(&self, mut note: Note) {
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        notes.seen += 1;
        note.sequence = notes.seen;
        if notes.newest.len() == CAPACITY {
            notes.newest.pop_front();
        }
        notes.newest.push_back(note);
    }

    /// How many requests were seen, and the newest, oldest first.
    pub(crate) fn newest(&self) -> (u64, Vec<Note>) {
        let notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        (notes.seen, notes.newest.iter().cloned().collect())
    }
}
