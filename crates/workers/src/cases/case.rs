//! One withdrawal with its legs, and what can be read off them.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use domain::{LegState, WithdrawalState};
use store::legs::Leg;
use store::withdrawals::Withdrawal;
use uuid::Uuid;

/// A withdrawal with its legs, both locked until the transaction ends.
#[derive(Debug)]
pub(crate) struct Case {
    /// The withdrawal.
    pub(crate) withdrawal: Withdrawal,
    /// Its legs, every generation.
    pub(crate) legs: Vec<Leg>,
}

impl Case {
    /// The newest generation of each slice: where its money is, and what happens to it next.
    pub(crate) fn live(&self) -> impl Iterator<Item = &Leg> {
        let replaced: BTreeSet<Uuid> = self.legs.iter().filter_map(|leg| leg.predecessor_id).collect();
        self.legs.iter().filter(move |leg| !replaced.contains(&leg.id))
    }

    /// Whether no other leg has taken the place of this one.
    pub(crate) fn is_live(&self, leg: Uuid) -> bool {
        self.live().any(|it| it.id == leg)
    }

    /// R6c: the slices that are on their way to another destination and have none
    /// that is approved: rerouted without details, or with them and planned.
    pub(crate) fn redirected(&self) -> Vec<&Leg> {
        let waits = |leg: &&Leg| match leg.state {
            LegState::Rerouting => true,
            LegState::Planned => leg.predecessor_id.is_some(),
            _ => false,
        };
        self.live().filter(waits).collect()
    }

    /// R17: the latest deadline of its legs, and whether it is provisional.
    pub(crate) fn latest_deadline(&self) -> Option<(DateTime<Utc>, bool)> {
        self.live().filter_map(|leg| Some((leg.deadline_at?, leg.deadline_provisional))).max()
    }

    /// Whether an approval would let money go: of the whole withdrawal, or of the
    /// new destination of a part of it.
    pub(crate) fn awaits_approval(&self) -> bool {
        match self.withdrawal.state {
            WithdrawalState::PendingApproval => true,
            WithdrawalState::ActionRequired => self.live().any(|leg| leg.state == LegState::Planned),
            _ => false,
        }
    }
}
