//! The simulator's own book: what it was told, and which money it moved.
//!
//! The book is a file of JSON lines that is only ever appended to. Everything in
//! memory is a function of those lines, so a restart remembers trades, orders,
//! attempts and answers, and idempotency survives it. A line is written before
//! the answer that speaks of it leaves; it is not synced, because losing the
//! machine is not one of the accidents that the simulator plays.

mod entry;
mod ledger;
mod report;

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

pub use entry::Trade;
pub(crate) use entry::{BankBatch, BankLine, BankMessage, Entry, Kind, NewOrder};
pub(crate) use ledger::{Account, Change, Ledger, News, Order, State, order_key};
pub use report::{BookReport, ChannelTotals, MovementLine};

/// Why a book could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum BookError {
    /// The file could not be read or created.
    #[error("the book could not be opened")]
    File(#[from] std::io::Error),
    /// A line is not an entry. The last line of a killed simulator may be cut
    /// short and is dropped; any other broken line is refused.
    #[error("line {line} of the book cannot be read")]
    Line {
        /// Counted from one.
        line: usize,
        /// What the parser said.
        #[source]
        source: serde_json::Error,
    },
}

/// The book, shared by all requests.
pub(crate) struct Book {
    inner: Mutex<Inner>,
}

struct Inner {
    ledger: Ledger,
    file: File,
}

impl Book {
    /// Opens or creates the file and replays it.
    pub(crate) fn open(path: &Path) -> Result<Self, BookError> {
        let mut file = OpenOptions::new().create(true).append(true).read(true).open(path)?;
        let mut ledger = Ledger::default();
        let mut good_bytes = 0;
        let mut lines = BufReader::new(&file);
        let mut bytes = Vec::new();
        for line in 1.. {
            bytes.clear();
            lines.read_until(b'\n', &mut bytes)?;
            // Cut short, perhaps within a character, perhaps just before its end.
            if bytes.last() != Some(&b'\n') {
                break;
            }
            match serde_json::from_slice::<Entry>(&bytes) {
                Ok(entry) => ledger.apply(&entry),
                Err(source) => return Err(BookError::Line { line, source }),
            }
            good_bytes += bytes.len() as u64;
        }
        ledger.forget_told();
        file.set_len(good_bytes)?;
        file.flush()?;
        Ok(Self { inner: Mutex::new(Inner { ledger, file }) })
    }

    /// Lets `work` read and change the ledger at `now_ms`, then appends what it
    /// recorded. Orders that have become due are settled first.
    ///
    /// # Panics
    /// When the file cannot be written: an answer about money that the book does
    /// not hold must never leave.
    pub(crate) fn enter<T>(&self, now_ms: i64, work: impl FnOnce(&mut Ledger) -> T) -> T {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.ledger.settle_due(now_ms);
        let answer = work(&mut inner.ledger);
        let written = inner.ledger.take_written();
        if !written.is_empty() {
            inner.file.write_all(&written).expect("the book can be written");
        }
        answer
    }
}
