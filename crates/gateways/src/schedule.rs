//! What each channel promises about repeats and queries, as data.

use std::time::Duration;

/// What the payout worker must know about a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traits {
    /// Whether the identical order may be sent again after a doubt.
    pub resend: Resend,
    /// When to ask.
    pub schedule: QuerySchedule,
    /// Time since the last send before [`Finding::NotFound`](crate::Finding::NotFound)
    /// may be believed.
    pub quiet: Duration,
    /// Age of a number after which the channel's memory of it is no longer
    /// promised: no resend, no more queries, only people with evidence.
    pub horizon: Duration,
}

/// Whether the identical order may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resend {
    /// Once a query does not find the number after the quiet period: should the
    /// order arrive after all, the channel knows the repeat by its number.
    Safe,
    /// Never by itself. A call that stalled on its way may still arrive after the
    /// query, and the channel does not promise to pay one number once: people
    /// with evidence decide.
    Never,
}

/// The moments at which a query makes sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuerySchedule {
    /// Wait before each query since the send or the query before. The last one
    /// repeats.
    pub waits: &'static [Duration],
    /// Queries in all; what comes after is notifications, statements and people.
    pub max: u32,
}

impl QuerySchedule {
    /// The wait before the next query when `asked` were made, or nothing when
    /// they are used up.
    #[must_use]
    pub fn wait_after(&self, asked: u32) -> Option<Duration> {
        if asked >= self.max {
            return None;
        }
        let index = usize::try_from(asked).unwrap_or(usize::MAX).min(self.waits.len().saturating_sub(1));
        self.waits.get(index).copied()
    }
}

const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

const MINUTE: u64 = 60;
const HOUR: u64 = 3_600;
const DAY: u64 = 86_400;

/// Alipay: a refund is done or not within seconds; the query needs ten of them.
pub(crate) const ALIPAY: Traits = Traits {
    resend: Resend::Safe,
    schedule: QuerySchedule {
        waits: &[seconds(10), seconds(30), seconds(2 * MINUTE), seconds(10 * MINUTE), seconds(HOUR)],
        max: 48,
    },
    quiet: seconds(MINUTE),
    // The refund window of the contract is twelve months; a number lives as long
    // as its trade can be refunded.
    horizon: seconds(330 * DAY),
};

/// `WeChat Pay`: wallets take about five minutes, bank cards up to three working days.
pub(crate) const WECHAT: Traits = Traits {
    resend: Resend::Safe,
    schedule: QuerySchedule {
        waits: &[
            seconds(MINUTE),
            seconds(5 * MINUTE),
            seconds(10 * MINUTE),
            seconds(30 * MINUTE),
            seconds(HOUR),
        ],
        max: 240,
    },
    quiet: seconds(5 * MINUTE),
    horizon: seconds(330 * DAY),
};

/// `UnionPay`: six queries at most, and no promise about repeats.
pub(crate) const UNIONPAY: Traits = Traits {
    resend: Resend::Never,
    schedule: QuerySchedule {
        waits: &[seconds(1), seconds(2), seconds(4), seconds(8), seconds(16), seconds(32)],
        max: 6,
    },
    // The whole schedule.
    quiet: seconds(63),
    horizon: seconds(30 * DAY),
};

/// The bank: a file is answered at once and executed within its day.
pub(crate) const BANK: Traits = Traits {
    resend: Resend::Safe,
    schedule: QuerySchedule {
        waits: &[seconds(MINUTE), seconds(10 * MINUTE), seconds(30 * MINUTE), seconds(HOUR)],
        max: 240,
    },
    quiet: seconds(10 * MINUTE),
    horizon: seconds(90 * DAY),
};

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{ALIPAY, BANK, Resend, UNIONPAY, WECHAT};

    #[test]
    fn unionpay_is_asked_six_times_in_63_seconds_and_then_no_more() {
        let waits: Vec<_> = (0..8).map(|asked| UNIONPAY.schedule.wait_after(asked)).collect();
        let expected = [1, 2, 4, 8, 16, 32].map(|count| Some(Duration::from_secs(count)));
        assert_eq!(waits[..6], expected);
        assert_eq!(waits[6..], [None, None]);
        assert_eq!(UNIONPAY.resend, Resend::Never);
        assert_eq!(UNIONPAY.quiet, UNIONPAY.schedule.waits.iter().sum::<Duration>());
    }

    #[test]
    fn the_last_wait_repeats_until_the_queries_are_used_up() {
        for traits in [ALIPAY, WECHAT, BANK] {
            let last = traits.schedule.waits.last().copied();
            assert_eq!(traits.schedule.wait_after(traits.schedule.max - 1), last);
            assert_eq!(traits.schedule.wait_after(traits.schedule.max), None);
            assert_eq!(traits.resend, Resend::Safe);
        }
    }
}
