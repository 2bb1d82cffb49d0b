//! What the book says about money, for `/_sim/book` and for tests.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::entry::{Kind, Movement};
use super::ledger::Ledger;
use crate::channel::Channel;
use crate::clock::rfc3339;

/// The book's movements and what follows from them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BookReport {
    /// Every movement, oldest first.
    pub movements: Vec<MovementLine>,
    /// Sums per channel name.
    pub totals: BTreeMap<String, ChannelTotals>,
    /// Money out of all channels, in fen.
    pub paid_out_fen: i64,
    /// Money that came back, in fen.
    pub returned_fen: i64,
    /// Payout numbers with more than one movement out.
    pub paid_twice: usize,
    /// Those numbers.
    pub paid_twice_numbers: Vec<String>,
    /// Trades of which more was refunded than was paid.
    pub over_refunded: usize,
}

/// One movement.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MovementLine {
    /// The merchant's payout number.
    pub number: String,
    /// The channel's name.
    pub channel: Channel,
    /// Always positive.
    pub amount_fen: i64,
    /// RFC 3339, Beijing time, by the simulator's clock.
    pub at: String,
    /// `payout` or `return`.
    pub kind: String,
    /// The refunded trade; empty at the bank.
    pub trade_no: String,
}

/// Sums of one channel.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ChannelTotals {
    /// Movements out.
    pub payouts: usize,
    /// Movements back.
    pub returns: usize,
    /// Money out, in fen.
    pub paid_out_fen: i64,
    /// Money back, in fen.
    pub returned_fen: i64,
}

impl BookReport {
    /// Reads the ledger.
    pub(crate) fn of(ledger: &Ledger) -> Self {
        let mut totals: BTreeMap<String, ChannelTotals> = Channel::ALL
            .into_iter()
            .map(|channel| (channel.name().to_owned(), ChannelTotals::default()))
            .collect();
        let mut effects: HashMap<&str, usize> = HashMap::new();
        for movement in ledger.movements() {
            let sums = totals.entry(movement.channel.name().to_owned()).or_default();
            match movement.kind {
                Kind::Payout => {
                    sums.payouts += 1;
                    sums.paid_out_fen += movement.amount_fen;
                    *effects.entry(&movement.number).or_default() += 1;
                }
                Kind::Return => {
                    sums.returns += 1;
                    sums.returned_fen += movement.amount_fen;
                }
            }
        }
        let mut paid_twice_numbers: Vec<String> = effects
            .into_iter()
            .filter(|(_, effects)| *effects > 1)
            .map(|(number, _)| number.to_owned())
            .collect();
        paid_twice_numbers.sort();
        Self {
            movements: ledger.movements().iter().map(line).collect(),
            paid_out_fen: totals.values().map(|sums| sums.paid_out_fen).sum(),
            returned_fen: totals.values().map(|sums| sums.returned_fen).sum(),
            totals,
            paid_twice: paid_twice_numbers.len(),
            paid_twice_numbers,
            over_refunded: ledger
                .accounts()
                .iter()
                .filter(|account| account.refunded_fen > account.trade.total_fen)
                .count(),
        }
    }
}

fn line(movement: &Movement) -> MovementLine {
    MovementLine {
        number: movement.number.clone(),
        channel: movement.channel,
        amount_fen: movement.amount_fen,
        at: rfc3339(movement.at_ms),
        kind: match movement.kind {
            Kind::Payout => "payout".to_owned(),
            Kind::Return => "return".to_owned(),
        },
        trade_no: movement.trade_no.clone(),
    }
}
