//! How hard each channel may be pushed: data for the payout workers.

use chrono::{DateTime, TimeDelta, Utc};

use crate::{CircuitRule, Rail};

/// One channel's limits. They hold for all payout workers together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChannelControl {
    /// Legs that may be claimed and not answered yet; nothing: no limit.
    pub concurrency: Option<u32>,
    /// Calls that may start in a second; nothing: no limit.
    pub pace: Option<Pace>,
    /// Repeats after refusals that pass.
    pub retry: RetryBudget,
    /// When it is left in peace.
    pub circuit: CircuitRule,
    /// The shortest time between two refunds of one payment.
    pub refund_spacing: TimeDelta,
}

/// How often and when a payment that was refused for the moment is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryBudget {
    /// Sends of one number. After the last one people look at the leg.
    pub sends: u32,
    /// The longest first delay; each later one may be twice as long.
    pub first: TimeDelta,
    /// The longest delay of all.
    pub longest: TimeDelta,
}

/// A bucket that fills evenly and holds what one second brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Calls in a second, at least one.
    pub per_second: u32,
}

impl Pace {
    /// Of `wanted` calls those that may start at `at`, and until when the bucket is
    /// spoken for then; `spoken_for` is until when it was.
    ///
    /// A moment further ahead than a full bucket comes from a clock that was wrong:
    /// it costs a second and no more.
    #[must_use]
    pub fn grant(
        self,
        spoken_for: Option<DateTime<Utc>>,
        wanted: usize,
        at: DateTime<Utc>,
    ) -> (usize, DateTime<Utc>) {
        let per_second = i64::from(self.per_second.max(1));
        // Rounded up, so that a second never brings one too many.
        let interval = (1_000_000 + per_second - 1) / per_second;
        let whole = interval * per_second;
        let ahead = spoken_for.map_or(0, |it| (it - at).num_microseconds().unwrap_or(whole)).clamp(0, whole);
        let granted = ((whole - ahead) / interval).min(i64::try_from(wanted).unwrap_or(i64::MAX));
        let until = at + TimeDelta::microseconds(ahead + granted * interval);
        (usize::try_from(granted).unwrap_or_default(), until)
    }
}

/// The limits of all channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChannelControls {
    /// Alipay.
    pub alipay: ChannelControl,
    /// `WeChat Pay`.
    pub wechat: ChannelControl,
    /// `UnionPay`.
    pub unionpay: ChannelControl,
    /// The bank: a file is one call.
    pub bank: ChannelControl,
}

impl ChannelControls {
    /// The limits of one rail.
    #[must_use]
    pub const fn of(&self, rail: Rail) -> &ChannelControl {
        match rail {
            Rail::Alipay => &self.alipay,
            Rail::WeChat => &self.wechat,
            Rail::UnionPay => &self.unionpay,
            Rail::Bank => &self.bank,
        }
    }

    /// The same limits for every channel.
    #[must_use]
    pub const fn all(it: ChannelControl) -> Self {
        Self { alipay: it, wechat: it, unionpay: it, bank: it }
    }
}

impl ChannelControl {
    /// No limit, no spacing, and a circuit that only wrong settings open.
    pub const UNLIMITED: Self = Self {
        concurrency: None,
        pace: None,
        retry: RetryBudget { sends: 20, first: TimeDelta::seconds(10), longest: TimeDelta::minutes(15) },
        circuit: CircuitRule {
            failures: None,
            share: None,
            rest: TimeDelta::seconds(10),
            rest_longest: TimeDelta::minutes(2),
        },
        refund_spacing: TimeDelta::zero(),
    };
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};

    use super::Pace;

    fn at(millis: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::milliseconds(millis)
    }

    /// Calls that are let through when so many are wanted at so many milliseconds.
    #[test]
    fn a_second_brings_as_many_calls_as_the_pace_says() {
        for (per_second, asks, granted) in [
            (5, vec![(0, 9), (0, 9), (199, 9), (200, 9), (1_000, 9)], vec![5, 0, 0, 1, 4]),
            (5, vec![(0, 2), (0, 2), (0, 2)], vec![2, 2, 1]),
            (1, vec![(0, 9), (999, 9), (1_000, 9), (9_000, 9)], vec![1, 0, 1, 1]),
            (7, vec![(0, 9), (142, 9), (143, 9)], vec![7, 0, 1]),
            // A clock that goes back takes the bucket for empty, and no more than that.
            (5, vec![(60_000, 5), (0, 5), (200, 5), (1_000, 5)], vec![5, 0, 1, 4]),
        ] {
            let mut spoken_for = None;
            let actual: Vec<usize> = asks
                .iter()
                .map(|(millis, wanted)| {
                    let (granted, until) = Pace { per_second }.grant(spoken_for, *wanted, at(*millis));
                    spoken_for = Some(until);
                    granted
                })
                .collect();
            assert_eq!(actual, granted, "{per_second} a second: {asks:?}");
        }
    }
}
