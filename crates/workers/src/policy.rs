//! The policy of approvals and payouts, from the configuration.

use std::sync::Arc;

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use domain::{AmountRule, ApprovalRules, Calendar, Counted, Money, Policy, Rail};

/// Who may approve what, and when money leaves.
#[derive(Debug, Clone)]
pub struct PayoutPolicy {
    /// Up to this amount the amount needs no person.
    pub auto_approve_up_to: Money,
    /// S01: distinct people who must approve anything above, the requester not among them.
    pub approvers: usize,
    /// R7b: working days.
    pub calendar: Arc<Calendar>,
    /// When bank payouts go out, as times of day in Asia/Shanghai on working days.
    pub bank_cut_offs: Vec<NaiveTime>,
    /// R7: working days before a deadline at which a leg that is not paid is warned of.
    pub deadline_headroom_days: u32,
    /// How long before the end of a wait somebody is reminded of it.
    pub remind_before: TimeDelta,
    /// What else decides how many people are needed.
    pub approval: ApprovalRules,
}

impl Default for PayoutPolicy {
    /// Two people above 5000.00, no other rule, a cut-off at 16:30, a warning a
    /// working day ahead, a reminder a day ahead, and no calendar but the weekends.
    fn default() -> Self {
        Self {
            auto_approve_up_to: Money::from_minor(500_000),
            approvers: 2,
            calendar: Arc::default(),
            bank_cut_offs: Policy::default().bank_cut_offs,
            deadline_headroom_days: 1,
            remind_before: TimeDelta::hours(24),
            approval: ApprovalRules::default(),
        }
    }
}

/// When a leg goes out, and by when its money must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Times {
    /// Not before this moment.
    pub(crate) dispatch_at: DateTime<Utc>,
    /// The end of the seventh working day, on the bank rail.
    pub(crate) deadline: Option<Counted>,
}

impl PayoutPolicy {
    /// The limit of the amount.
    pub(crate) fn amount_rule(&self) -> AmountRule {
        AmountRule {
            nobody_up_to: self.auto_approve_up_to,
            people_above: u32::try_from(self.approvers).unwrap_or(u32::MAX),
        }
    }

    /// The times of a leg that was approved at `approved_at`.
    ///
    /// Source, R7: "After the withdrawal request is approved, the money goes back
    /// to the source account immediately." and "… complete the withdrawal process
    /// within 7 working days."
    pub(crate) fn times_of(&self, rail: Rail, approved_at: DateTime<Utc>) -> Times {
        if rail.is_realtime() {
            return Times { dispatch_at: approved_at, deadline: None };
        }
        Times {
            dispatch_at: self.calendar.next_cut_off(approved_at, &self.bank_cut_offs).at,
            deadline: Some(self.calendar.bank_deadline(approved_at)),
        }
    }
}
