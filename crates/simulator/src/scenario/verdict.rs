//! Whether the book says what the scenario expects.

use serde::Serialize;

use super::Play;
use super::words::FinalState;
use crate::book::{BookReport, Kind, Ledger, State};
use crate::clock::rfc3339;

/// The judgement over a run, from the book alone.
#[derive(Debug, Serialize)]
pub(crate) struct Verdict {
    pub(crate) passed: bool,
    /// The scenario's name, when one is loaded.
    scenario: Option<String>,
    /// Payout numbers that the scenario's rules met.
    met: usize,
    /// Every reason for which it did not pass.
    pub(crate) failures: Vec<String>,
    paid_twice: usize,
    paid_twice_numbers: Vec<String>,
    over_refunded: usize,
    movements: usize,
    paid_out_fen: i64,
    returned_fen: i64,
}

impl Verdict {
    /// Judges the ledger; without a scenario only the money is judged.
    pub(crate) fn over(ledger: &Ledger, play: Option<&Play>) -> Self {
        let book = BookReport::of(ledger);
        let mut failures = Vec::new();
        // A scenario that counts movements itself decides what is too many.
        let counted = play.is_some_and(|play| play.scenario.expect.movements_per_payout_number.is_some());
        if !counted {
            failures.extend(book.paid_twice_numbers.iter().map(|number| format!("{number} was paid twice")));
        }
        if book.over_refunded > 0 {
            failures.push(format!("{} trades were refunded beyond their total", book.over_refunded));
        }
        let mut met = 0;
        if let Some(play) = play {
            let mut numbers: Vec<_> = play.met().into_iter().collect();
            numbers.sort();
            met = numbers.len();
            if met == 0 {
                failures.push("no call met a rule of the scenario".to_owned());
            }
            for (number, (key, first_ms)) in numbers {
                failures.extend(judge(ledger, play, (&number, &key, first_ms)));
            }
        }
        Self {
            passed: failures.is_empty(),
            scenario: play.map(|play| play.name().to_owned()),
            met,
            failures,
            paid_twice: book.paid_twice,
            paid_twice_numbers: book.paid_twice_numbers,
            over_refunded: book.over_refunded,
            movements: book.movements.len(),
            paid_out_fen: book.paid_out_fen,
            returned_fen: book.returned_fen,
        }
    }
}

fn judge(ledger: &Ledger, play: &Play, met: (&str, &str, i64)) -> Vec<String> {
    let (number, key, first_ms) = met;
    let expect = &play.scenario.expect;
    let mut failures = Vec::new();
    if let Some(expected) = expect.movements_per_payout_number {
        let out = ledger.movements().iter().filter(|it| it.kind == Kind::Payout && it.number == number);
        let counted = out.count();
        if counted != expected {
            failures.push(format!("{number} has {counted} movements, expected {expected}"));
        }
    }
    let order = ledger.order(key);
    if let Some(expected) = expect.final_state {
        let state = order.map(|order| match order.state {
            State::Pending => FinalState::Pending,
            State::Paid => FinalState::Paid,
            State::Refused(..) => FinalState::Refused,
            State::Returned(_) => FinalState::Returned,
        });
        if state != Some(expected) {
            failures.push(format!("{number} ended as {state:?}, expected {expected:?}"));
        }
    }
    if let (Some(within), Some(order)) = (expect.within, order) {
        let deadline_ms = within.end_ms(first_ms);
        if order.state == State::Pending || order.changed_ms > deadline_ms {
            failures.push(format!("{number} was not final by {}", rfc3339(deadline_ms)));
        }
    }
    failures
}
