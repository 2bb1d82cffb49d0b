//! What all statements share: which days, which lines, and what may be had.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use chrono::{Days, Months, NaiveDate};

use crate::behaviour::Deviation;
use crate::book::{Kind, Ledger, Order};
use crate::channel::Channel;
use crate::clock::{beijing, parse_rfc3339};
use crate::options::Statements;
use crate::world::World;

const DAY_MS: i64 = 24 * 3_600_000;
const READY_MS: i64 = DAY_MS + 10 * 3_600_000;

/// One movement, as the statement tells it.
pub(crate) struct Line {
    pub(crate) order: Order,
    /// The merchant's number; that of a line which deviates is invented.
    pub(crate) number: String,
    pub(crate) amount_fen: i64,
    pub(crate) at_ms: i64,
    pub(crate) kind: Kind,
}

/// The movements of a channel within a time, with the deviations of scenarios.
pub(crate) fn lines(ledger: &Ledger, channel: Channel, time: &Range<i64>) -> Vec<Line> {
    let mut lines = Vec::new();
    let movements = ledger.movements().iter();
    for movement in movements.filter(|it| it.channel == channel && time.contains(&it.at_ms)) {
        let Some(order) = ledger.order(&movement.key) else { continue };
        let line = |number: &str, amount_fen| Line {
            order: order.clone(),
            number: number.to_owned(),
            amount_fen,
            at_ms: movement.at_ms,
            kind: movement.kind,
        };
        match order.placed.aftermath.statement {
            Some(Deviation::Missing) => {}
            Some(Deviation::AmountOff) => lines.push(line(&movement.number, movement.amount_fen + 1)),
            Some(Deviation::Extra) => {
                lines.push(line(&movement.number, movement.amount_fen));
                let invented: String = movement.number.chars().rev().collect();
                lines.push(line(&invented, movement.amount_fen));
            }
            None => lines.push(line(&movement.number, movement.amount_fen)),
        }
    }
    lines
}

/// The moments of a date in Beijing.
pub(crate) fn day(date: NaiveDate) -> Range<i64> {
    let start_ms = midnight_ms(date);
    start_ms..start_ms + DAY_MS
}

/// The moments of the month that begins on `first`.
pub(crate) fn month(first: NaiveDate) -> Range<i64> {
    midnight_ms(first)..midnight_ms(first + Months::new(1))
}

fn midnight_ms(date: NaiveDate) -> i64 {
    parse_rfc3339(&format!("{date}T00:00:00+08:00")).unwrap_or_default()
}

/// Whether a day's statement can be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Availability {
    Ready,
    /// It is being made.
    Creating,
    /// The day is not over, not yet come, or too long ago.
    Never,
}

/// Whether the statement of `date` can be had at this moment.
pub(crate) fn availability(world: &World, date: NaiveDate) -> Availability {
    let now_ms = world.clock.now_ms();
    let today = beijing(now_ms).date_naive();
    let oldest = today - Months::new(3) - Days::new(1);
    let (first, ready_ms) = match world.switches.statements {
        Statements::AtOnce => (today, i64::MIN),
        Statements::NextDay => (today - Days::new(1), midnight_ms(date) + READY_MS),
    };
    match date {
        _ if date > first || date < oldest => Availability::Never,
        _ if now_ms < ready_ms => Availability::Creating,
        _ => Availability::Ready,
    }
}

/// A file that waits to be fetched.
#[derive(Debug, Clone)]
pub(crate) struct Download {
    pub(crate) content_type: &'static str,
    pub(crate) bytes: Vec<u8>,
    /// Unix milliseconds.
    pub(crate) expires_ms: i64,
}

/// The files that wait, by their token.
#[derive(Default)]
pub(crate) struct Downloads {
    files: Mutex<HashMap<String, Download>>,
}

impl Downloads {
    /// Keeps a file until it expires.
    pub(crate) fn keep(&self, token: String, file: Download) {
        self.files.lock().unwrap_or_else(PoisonError::into_inner).insert(token, file);
    }

    /// The file of a token that has not expired; expired ones are forgotten.
    pub(crate) fn fetch(&self, token: &str, now_ms: i64) -> Option<Download> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.retain(|_, file| file.expires_ms > now_ms);
        files.get(token).cloned()
    }
}
