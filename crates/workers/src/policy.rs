//! The policy of approvals and payouts, from the configuration.

use std::sync::Arc;

use chrono::{DateTime, NaiveTime, Utc};
use domain::{Calendar, Counted, Money, Rail};

/// Who may approve what, and when money leaves.
#[derive(Debug, Clone)]
pub struct PayoutPolicy {
    /// Up to this amount no person is needed.
    pub auto_approve_up_to: Money,
    /// S01: distinct people who must approve anything above, the requester not among them.
    pub approvers: usize,
    /// R7b: working days.
    pub calendar: Arc<Calendar>,
    /// When bank payouts go out, as times of day in Asia/Shanghai on working days.
    pub bank_cut_offs: Vec<NaiveTime>,
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
