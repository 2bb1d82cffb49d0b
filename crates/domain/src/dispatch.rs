//! Whether a source refund may still be sent at the moment of its dispatch (R6c, R18).
//!
//! An approval can take days, and a retry hours: what was within its window at
//! the intake can be past it when the money is to leave. And a channel has limits
//! of its own, which count from the customer's payment and not from the credit.

use chrono::{DateTime, Months, NaiveDate, TimeDelta, Utc};

use crate::{Channel, Policy, date_in_shanghai};

/// R18: what the channels themselves allow. A contract may say otherwise, so it is data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChannelLimits {
    /// Months after the payment in which Alipay refunds it.
    pub alipay_months: u32,
    /// Days after the payment in which WeChat Pay refunds it.
    pub wechat_days: u32,
    /// Partial refunds of one payment that WeChat Pay carries out.
    pub wechat_refunds: u32,
    /// Days after the payment in which UnionPay refunds it.
    pub unionpay_days: u32,
}

impl Default for ChannelLimits {
    /// What the channels document: 12 months, 365 days and 50 refunds, 330 days.
    fn default() -> Self {
        Self { alipay_months: 12, wechat_days: 365, wechat_refunds: 50, unionpay_days: 330 }
    }
}

impl ChannelLimits {
    /// The last moment at which the channel refunds what was paid at `paid_at`
    /// (R6b); nothing where the channel has no such limit.
    ///
    /// # Panics
    /// When the limit ends after chrono's years, which no configuration reaches.
    #[must_use]
    pub fn last_moment(&self, channel: Channel, paid_at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let days = |days: u32| paid_at + TimeDelta::days(i64::from(days));
        match channel {
            Channel::Alipay => {
                let last = paid_at.checked_add_months(Months::new(self.alipay_months));
                Some(last.expect("a limit within chrono's years"))
            }
            Channel::WeChat => Some(days(self.wechat_days)),
            Channel::UnionPayPersonal | Channel::UnionPayEnterprise => Some(days(self.unionpay_days)),
            Channel::BankTransfer => None,
        }
    }

    /// How many refunds of one payment the channel carries out, where it counts them.
    #[must_use]
    pub const fn refunds(&self, channel: Channel) -> Option<u32> {
        match channel {
            Channel::WeChat => Some(self.wechat_refunds),
            _ => None,
        }
    }
}

/// The payment that a source refund sends back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// How it arrived.
    pub channel: Channel,
    /// R6: windows can differ by it.
    pub contract_entity: String,
    /// R6b: credit time; the window counts from it.
    pub arrived_at: DateTime<Utc>,
    /// R6b: when the customer paid; the channel's limits count from it.
    pub channel_paid_at: DateTime<Utc>,
    /// Other refunds of it that the channel has carried out, or may have.
    pub refunds: u32,
}

/// Why the way back to the source is closed. Final: waiting does not open it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum RouteClosed {
    /// R6: the window to the source closed after `last_day`.
    WindowClosed {
        /// The last day of the window.
        last_day: NaiveDate,
    },
    /// R18: the channel refunds such a payment until `last` and not later.
    ChannelWindowClosed {
        /// The last moment.
        last: DateTime<Utc>,
    },
    /// R18: the channel carries out no further refund of this payment.
    RefundCountSpent {
        /// How many it carries out.
        max: u32,
    },
}

impl RouteClosed {
    /// The stable code, such as `window_closed`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.into()
    }

    /// The reason in words.
    #[must_use]
    pub fn detail(&self) -> String {
        match self {
            Self::WindowClosed { last_day } => {
                format!("R6c: it could go back to its source until {last_day}")
            }
            Self::ChannelWindowClosed { last } => {
                format!("R18: the channel refunds this payment until {} and not later", last.to_rfc3339())
            }
            Self::RefundCountSpent { max } => {
                format!("R18: the channel refunds one payment {max} times at most")
            }
        }
    }
}

/// Why `payment` cannot go back to its source at the moment `at`; nothing when it can.
///
/// R6c: "The window … is re-tested when a leg is dispatched", in the same days as
/// at the intake. R18: the channel's own limits are met before the call.
#[must_use]
pub fn route_closed(payment: &Payment, policy: &Policy, at: DateTime<Utc>) -> Option<RouteClosed> {
    let Payment { channel, contract_entity, arrived_at, channel_paid_at, refunds } = payment;
    let window = policy.windows.last_day(*channel, contract_entity, *arrived_at);
    if let Some(last_day) = window.filter(|last_day| date_in_shanghai(at) > *last_day) {
        return Some(RouteClosed::WindowClosed { last_day });
    }
    let last = policy.limits.last_moment(*channel, *channel_paid_at);
    if let Some(last) = last.filter(|last| at > *last) {
        return Some(RouteClosed::ChannelWindowClosed { last });
    }
    let spent = policy.limits.refunds(*channel).filter(|max| refunds >= max);
    spent.map(|max| RouteClosed::RefundCountSpent { max })
}

#[cfg(test)]
mod tests {
    use super::{Payment, route_closed};
    use crate::Policy;

    /// Channel, credit, payment, refunds so far, dispatch, and what closes the route.
    #[test]
    fn r6c_r18_a_dispatch_meets_the_window_and_the_limits_of_the_channel() {
        for (channel, arrived, paid, refunds, at, expected) in [
            ("alipay", "2025-04-10T12:00:00+08:00", "", 0, "2026-03-10T23:59:59.999+08:00", ""),
            ("alipay", "2025-04-10T12:00:00+08:00", "", 0, "2026-03-11T00:00:00+08:00", "window_closed"),
            ("unionpay_personal", "2025-12-10T00:00:00+08:00", "", 0, "2026-03-10T23:59:59.999+08:00", ""),
            (
                "unionpay_enterprise",
                "2025-12-10T00:00:00+08:00",
                "",
                0,
                "2026-03-11T00:00:00+08:00",
                "window_closed",
            ),
            // The customer paid long before the credit: the channel counts from the payment.
            (
                "alipay",
                "2026-01-01T12:00:00+08:00",
                "2025-02-28T09:00:00+08:00",
                0,
                "2026-02-28T09:00:00+08:00",
                "",
            ),
            (
                "alipay",
                "2026-01-01T12:00:00+08:00",
                "2025-02-28T09:00:00+08:00",
                0,
                "2026-02-28T09:00:00.001+08:00",
                "channel_window_closed",
            ),
            (
                "wechat",
                "2025-06-01T12:00:00+08:00",
                "2024-03-01T09:00:00+08:00",
                0,
                "2025-06-02T09:00:00+08:00",
                "channel_window_closed",
            ),
            (
                "wechat",
                "2024-06-01T12:00:00+08:00",
                "2024-02-29T09:00:00+08:00",
                0,
                "2025-02-28T09:00:00+08:00",
                "",
            ),
            (
                "wechat",
                "2024-06-01T12:00:00+08:00",
                "2024-02-29T09:00:00+08:00",
                0,
                "2025-02-28T09:00:00.001+08:00",
                "channel_window_closed",
            ),
            ("wechat", "2026-01-01T12:00:00+08:00", "", 49, "2026-02-01T09:00:00+08:00", ""),
            (
                "wechat",
                "2026-01-01T12:00:00+08:00",
                "",
                50,
                "2026-02-01T09:00:00+08:00",
                "refund_count_spent",
            ),
            ("alipay", "2026-01-01T12:00:00+08:00", "", 500, "2026-02-01T09:00:00+08:00", ""),
            ("bank_transfer", "2010-01-01T12:00:00+08:00", "", 500, "2026-02-01T09:00:00+08:00", ""),
        ] {
            let payment = Payment {
                channel: channel.parse().expect("a channel of the table"),
                contract_entity: "default".to_owned(),
                arrived_at: arrived.parse().expect("a moment of the table"),
                channel_paid_at: if paid.is_empty() { arrived } else { paid }
                    .parse()
                    .expect("a moment of the table"),
                refunds,
            };
            let at = at.parse().expect("a moment of the table");
            let closed = route_closed(&payment, &Policy::default(), at);
            assert_eq!(closed.map_or("", |it| it.code()), expected, "{channel} {arrived} {paid} at {at}");
            assert!(closed.is_none_or(|it| it.detail().starts_with('R')));
        }
    }
}
