//! Windows: until when a top-up goes back to where it came from.

use std::collections::BTreeMap;

use chrono::{DateTime, Months, NaiveDate, Utc};

use crate::{Channel, date_in_shanghai};

/// Months after the arrival in which a top-up goes back to its source (R6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowMonths {
    /// Alipay.
    pub alipay: u32,
    /// WeChat Pay.
    pub wechat: u32,
    /// UnionPay e-banking of persons.
    pub unionpay_personal: u32,
    /// UnionPay e-banking of enterprises.
    pub unionpay_enterprise: u32,
}

impl Default for WindowMonths {
    /// 11 months for the wallets and 3 for UnionPay, as the source says.
    fn default() -> Self {
        Self { alipay: 11, wechat: 11, unionpay_personal: 3, unionpay_enterprise: 3 }
    }
}

impl WindowMonths {
    const fn of(self, channel: Channel) -> Option<u32> {
        match channel {
            Channel::Alipay => Some(self.alipay),
            Channel::WeChat => Some(self.wechat),
            Channel::UnionPayPersonal => Some(self.unionpay_personal),
            Channel::UnionPayEnterprise => Some(self.unionpay_enterprise),
            Channel::BankTransfer => None,
        }
    }
}

/// The windows of every contract entity.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Windows {
    /// Where no other are agreed.
    pub general: WindowMonths,
    /// What single contract entities agreed, by their name.
    pub of_entity: BTreeMap<String, WindowMonths>,
}

impl Windows {
    /// The last day on which a top-up goes back to its source; past it, only to
    /// a bank card. Nothing for bank transfers: they have no window (R8).
    ///
    /// The day is a date in Asia/Shanghai: the same day of the month, so many
    /// months on, or the last day of a shorter month. It is counted forward from
    /// the arrival; counting back from today differs around month ends.
    ///
    /// Source, R6: "Online payment (through Alipay and WeChat) that arrived in
    /// your account in the last 11 months, or UnionPay top-up amounts that
    /// arrived in your account 3 months ago can be withdrawn to the source
    /// account."
    ///
    /// Our reading: for UnionPay too this means *in the last* 3 months. Taken
    /// literally, both routes would claim the same top-ups.
    ///
    /// # Panics
    /// When the window ends after chrono's years, which no configuration reaches.
    #[must_use]
    pub fn last_day(
        &self,
        channel: Channel,
        contract_entity: &str,
        arrived_at: DateTime<Utc>,
    ) -> Option<NaiveDate> {
        let months = self.of_entity.get(contract_entity).unwrap_or(&self.general).of(channel)?;
        let arrived_on = date_in_shanghai(arrived_at);
        Some(arrived_on.checked_add_months(Months::new(months)).expect("a window within chrono's years"))
    }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::{WindowMonths, Windows};
    use crate::Channel::{self, Alipay, BankTransfer, UnionPayEnterprise, UnionPayPersonal, WeChat};

    fn last_day(windows: &Windows, channel: Channel, entity: &str, arrived_at: &str) -> Option<NaiveDate> {
        windows.last_day(channel, entity, arrived_at.parse().expect("a moment of the table"))
    }

    #[test]
    fn r6_a_window_closes_after_the_same_day_of_a_later_month() {
        for (channel, arrived_at, expected) in [
            (Alipay, "2025-01-15T12:00:00+08:00", Some("2025-12-15")),
            (WeChat, "2025-03-31T12:00:00+08:00", Some("2026-02-28")), // February has no 31st
            (WeChat, "2023-03-31T12:00:00+08:00", Some("2024-02-29")), // a leap day
            (Alipay, "2024-02-29T12:00:00+08:00", Some("2025-01-29")), // from a leap day
            (Alipay, "2025-01-15T23:59:59.999+08:00", Some("2025-12-15")),
            (Alipay, "2025-01-16T00:00:00+08:00", Some("2025-12-16")),
            (Alipay, "2025-01-15T16:00:00Z", Some("2025-12-16")), // the 16th in Shanghai
            (UnionPayPersonal, "2025-01-15T12:00:00+08:00", Some("2025-04-15")),
            (UnionPayEnterprise, "2025-11-30T12:00:00+08:00", Some("2026-02-28")),
            (UnionPayEnterprise, "2025-11-29T12:00:00+08:00", Some("2026-02-28")),
            (BankTransfer, "2019-01-01T12:00:00+08:00", None),
        ] {
            let expected = expected.map(|it| it.parse().expect("a date of the table"));
            assert_eq!(
                last_day(&Windows::default(), channel, "default", arrived_at),
                expected,
                "{arrived_at}"
            );
        }
    }

    #[test]
    fn r6_windows_are_data_and_a_contract_entity_may_have_its_own() {
        let mut windows = Windows::default();
        let own = WindowMonths { alipay: 6, ..WindowMonths::default() };
        windows.of_entity.insert("hw-sg".to_owned(), own);
        let of = |entity| last_day(&windows, Alipay, entity, "2025-01-15T12:00:00+08:00");
        assert_eq!(of("hw-sg"), Some("2025-07-15".parse().expect("a date")));
        assert_eq!(of("default"), Some("2025-12-15".parse().expect("a date")));
    }
}
