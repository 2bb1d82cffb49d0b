//! What a contract or an operator may set: data for the rules, never code.

use std::collections::BTreeSet;

use chrono::{NaiveTime, TimeDelta};

use crate::{ChannelLimits, Windows};

/// May a customer choose a bank card while the window to the source is open (R15)?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum VoluntaryBankCard {
    /// No: within the window the money goes to the source account only (R6).
    #[default]
    Forbidden,
    /// Yes, although the source document offers only the source account.
    Allowed,
}

/// The settings of the rules (R6, R7, R15).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// R6: until when money goes back to its source.
    pub windows: Windows,
    /// R18: what the channels themselves allow.
    pub limits: ChannelLimits,
    /// R15: withdrawals that one account may have open at once.
    pub max_open_withdrawals: i32,
    /// R15: bank cards within the window.
    pub voluntary_bank_card: VoluntaryBankCard,
    /// R15: contract entities whose contracts forbid refunds.
    pub refunds_forbidden: BTreeSet<String>,
    /// R7: when the bank takes payouts, on working days, in Asia/Shanghai. At least one.
    pub bank_cut_offs: Vec<NaiveTime>,
    /// R11: how long a withdrawal waits for bank details.
    pub details_wait: TimeDelta,
    /// How long a withdrawal waits for a decision.
    pub approval_wait: TimeDelta,
}

impl Default for Policy {
    /// What the source document says; where it is silent: ten open withdrawals,
    /// a cut-off at 16:30, and fourteen days of waiting.
    fn default() -> Self {
        Self {
            windows: Windows::default(),
            limits: ChannelLimits::default(),
            max_open_withdrawals: 10,
            voluntary_bank_card: VoluntaryBankCard::default(),
            refunds_forbidden: BTreeSet::new(),
            bank_cut_offs: vec![NaiveTime::from_hms_opt(16, 30, 0).expect("a time of day")],
            details_wait: TimeDelta::days(14),
            approval_wait: TimeDelta::days(14),
        }
    }
}
