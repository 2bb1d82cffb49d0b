//! Which top-ups can leave by which route, and every reason why one cannot.

use chrono::{DateTime, NaiveDate, Utc};

use crate::policy::VoluntaryBankCard;
use crate::{Channel, Money, Policy, Route, date_in_shanghai};

/// A top-up as the rules see it: a slice of the account's money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice {
    /// The upstream's number; unique within the account.
    pub id: String,
    /// How it arrived.
    pub channel: Channel,
    /// R6: windows can differ by it.
    pub contract_entity: String,
    /// R6b: credit time; the window and the order count from it.
    pub arrived_at: DateTime<Utc>,
    /// R6b: when the customer paid; the channel's own limits count from it.
    pub channel_paid_at: DateTime<Utc>,
    /// R9: breaks ties of `arrived_at`; greater is newer.
    pub sequence: i64,
    /// R3: it earned a bonus or cash coupon, and the mark was not cleared.
    pub bonus: bool,
    /// What is free: neither allocated to members (R5), nor spent, held or paid out.
    pub remaining: Money,
    /// R12: holder of the wallet or of the paying account.
    pub payer_name: Option<String>,
    /// R8: the bank account that a bank transfer came from is on file.
    pub source_account_known: bool,
}

/// Why a top-up cannot leave by a route. The text form is a stable code.
#[derive(
    Debug,
    Clone,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Default,
    strum::IntoStaticStr,
    strum::EnumIter,
    strum::VariantNames,
)]
#[strum(serialize_all = "snake_case")]
pub enum Exclusion {
    /// R3: it earned a bonus or cash coupon.
    Bonus,
    /// R6: the window to its source closed after `last_day`.
    WindowClosed {
        /// The last day of the window.
        last_day: NaiveDate,
    },
    /// R6: it goes back to its source until `last_day`, and not to a bank card.
    WindowOpen {
        /// The last day of the window.
        last_day: NaiveDate,
    },
    /// R18: its channel refunds it until `last_day` and not later, whatever its window says.
    ChannelWindowClosed {
        /// The last day on which the channel refunds it.
        last_day: NaiveDate,
    },
    /// R8: a bank transfer goes back to its source account only.
    SourceAccountOnly,
    /// R12: nobody knows whose wallet it came from, so no bank card can match.
    HolderUnknown,
    /// R12: the bank card would have to be in another name.
    HolderDiffers {
        /// In whose name.
        holder: String,
    },
    /// Nothing of it is left.
    #[default]
    Empty,
}

impl Exclusion {
    /// The stable code, such as `window_closed`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.into()
    }

    /// The rule behind it.
    #[must_use]
    pub const fn rule(&self) -> &'static str {
        match self {
            Self::Bonus => "R3",
            Self::WindowClosed { .. } | Self::WindowOpen { .. } => "R6",
            Self::ChannelWindowClosed { .. } => "R18",
            Self::SourceAccountOnly => "R8",
            Self::HolderUnknown | Self::HolderDiffers { .. } => "R12",
            Self::Empty => "R1",
        }
    }

    /// The reason in words.
    #[must_use]
    pub fn detail(&self) -> String {
        match self {
            Self::Bonus => "it earned a bonus or cash coupon".to_owned(),
            Self::WindowClosed { last_day } => {
                format!(
                    "it could go back to its source until {last_day}; now only a bank card can receive it"
                )
            }
            Self::WindowOpen { last_day } => {
                format!("until {last_day} it can only go back to its source")
            }
            Self::ChannelWindowClosed { last_day } => {
                format!("its channel refunded it until {last_day}; now only a bank card can receive it")
            }
            Self::SourceAccountOnly => {
                "a bank transfer can only go back to the bank account it came from".to_owned()
            }
            Self::HolderUnknown => "its payer's name is not known, so no bank card can match it".to_owned(),
            Self::HolderDiffers { holder } => format!("it needs a bank card in the name of {holder}"),
            Self::Empty => "nothing of it is left".to_owned(),
        }
    }
}

impl Slice {
    /// R9: the newest slice has the greatest age key.
    #[must_use]
    pub const fn age(&self) -> (DateTime<Utc>, i64) {
        (self.arrived_at, self.sequence)
    }

    /// The last day on which it goes back to its source; nothing when it has no window.
    #[must_use]
    pub fn last_day(&self, policy: &Policy) -> Option<NaiveDate> {
        policy.windows.last_day(self.channel, &self.contract_entity, self.arrived_at)
    }

    /// The last day on which its channel refunds it (R18); nothing when the channel
    /// has no such limit. Within that day the dispatch knows the moment.
    #[must_use]
    pub fn channel_day(&self, policy: &Policy) -> Option<NaiveDate> {
        policy.limits.last_moment(self.channel, self.channel_paid_at).map(date_in_shanghai)
    }

    /// The last day on which it goes back to its source by its window and by its
    /// channel; nothing when it has no window.
    #[must_use]
    pub fn source_until(&self, policy: &Policy) -> Option<NaiveDate> {
        let last_day = self.last_day(policy)?;
        Some(self.channel_day(policy).map_or(last_day, |day| day.min(last_day)))
    }

    /// In whose name a bank card must be to receive it (R12).
    ///
    /// Source: "If the top-up was completed using Alipay or WeChat, the bank
    /// account name must be the same as the holder name of Alipay or WeChat. If
    /// the top-up was completed using individual or enterprise e-banking, the
    /// receiving bank account of the money withdrawal must be consistent with
    /// your real-name authentication information."
    ///
    /// Our reading: "consistent" means the same name, compared as wallets are.
    #[must_use]
    pub fn card_holder<'a>(&'a self, real_name: &'a str) -> Option<&'a str> {
        match self.channel {
            Channel::Alipay | Channel::WeChat => self.payer_name.as_deref(),
            Channel::UnionPayPersonal | Channel::UnionPayEnterprise => Some(real_name),
            Channel::BankTransfer => Some(self.payer_name.as_deref().unwrap_or(real_name)),
        }
    }

    /// Every reason why this slice cannot leave by `route` on `today`; none when it can.
    ///
    /// Sources: R3 "A top-up with bonuses or cash coupons rewarded does not
    /// support money withdrawal." R6 "… can only be withdrawn to a bank card."
    /// R8 "Top-up amounts through bank transfer … can be withdrawn to the source
    /// bank account".
    ///
    /// Our reading of R3: the top-up is excluded whole, until an upstream fact
    /// clears the mark.
    #[must_use]
    pub fn exclusions(&self, route: Route, policy: &Policy, today: NaiveDate) -> Vec<Exclusion> {
        let mut found = Vec::new();
        if self.bonus {
            found.push(Exclusion::Bonus);
        }
        match (route, self.source_until(policy)) {
            (Route::Source, Some(last_day)) if today > last_day => found.push(self.closed(last_day, policy)),
            (Route::BankCard, Some(last_day)) => {
                let voluntary = policy.voluntary_bank_card == VoluntaryBankCard::Allowed;
                if today <= last_day && !voluntary {
                    found.push(Exclusion::WindowOpen { last_day });
                }
                if self.card_holder("").is_none() {
                    found.push(Exclusion::HolderUnknown);
                }
            }
            (Route::BankCard, None) => found.push(Exclusion::SourceAccountOnly),
            (Route::Source, _) => {}
        }
        if !self.remaining.is_positive() {
            found.push(Exclusion::Empty);
        }
        found
    }

    /// Why the way to the source closed after `last_day`: the window comes first.
    fn closed(&self, last_day: NaiveDate, policy: &Policy) -> Exclusion {
        if self.last_day(policy) == Some(last_day) {
            Exclusion::WindowClosed { last_day }
        } else {
            Exclusion::ChannelWindowClosed { last_day }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Slice;
    use crate::{Channel, Money, Policy, Route, VoluntaryBankCard};

    fn slice(channel: &str, arrived_on: &str) -> Slice {
        Slice {
            id: "t".to_owned(),
            channel: channel.parse().expect("a channel of the table"),
            contract_entity: "default".to_owned(),
            arrived_at: format!("{arrived_on}T12:00:00+08:00").parse().expect("a moment"),
            channel_paid_at: format!("{arrived_on}T11:59:00+08:00").parse().expect("a moment"),
            sequence: 1,
            bonus: false,
            remaining: Money::from_minor(100),
            payer_name: Some("张三".to_owned()),
            source_account_known: true,
        }
    }

    #[track_caller]
    fn check(slice: &Slice, today: &str, source: &str, bank_card: &str) {
        let policy = Policy::default();
        for (route, expected) in [(Route::Source, source), (Route::BankCard, bank_card)] {
            let today = today.parse().expect("a date of the table");
            let codes: Vec<_> =
                slice.exclusions(route, &policy, today).iter().map(super::Exclusion::code).collect();
            assert_eq!(codes.join(" "), expected, "{route} {slice:?} on {today}");
        }
    }

    #[test]
    fn r6_every_top_up_has_exactly_one_route() {
        for (channel, arrived_on, today, source, bank_card) in [
            ("alipay", "2025-01-15", "2025-12-15", "", "window_open"),
            ("alipay", "2025-01-15", "2025-12-16", "window_closed", ""),
            ("wechat", "2025-03-31", "2026-02-28", "", "window_open"),
            ("wechat", "2025-03-31", "2026-03-01", "window_closed", ""),
            ("unionpay_personal", "2025-01-15", "2025-04-15", "", "window_open"),
            ("unionpay_enterprise", "2025-01-15", "2025-04-16", "window_closed", ""),
            ("bank_transfer", "2019-01-01", "2025-04-16", "", "source_account_only"),
        ] {
            check(&slice(channel, arrived_on), today, source, bank_card);
        }
    }

    #[test]
    fn r18_a_channel_that_refunds_no_more_closes_the_source_and_opens_the_bank_card() {
        // The credit came long after the payment, from which the channel counts.
        for (channel, paid_on, today, source, bank_card) in [
            ("alipay", "2025-01-14", "2026-01-14", "", "window_open"),
            ("alipay", "2025-01-14", "2026-01-15", "channel_window_closed", ""),
            ("wechat", "2024-02-29", "2025-02-28", "", "window_open"),
            ("wechat", "2024-02-29", "2025-03-01", "channel_window_closed", ""),
            ("unionpay_personal", "2025-01-01", "2025-11-28", "channel_window_closed", ""),
        ] {
            let today_before: chrono::NaiveDate = today.parse().expect("a date of the table");
            let arrived_on = (today_before - chrono::Days::new(30)).to_string();
            let channel_paid_at = format!("{paid_on}T09:00:00+08:00").parse().expect("a moment");
            check(&Slice { channel_paid_at, ..slice(channel, &arrived_on) }, today, source, bank_card);
        }
    }

    #[test]
    fn every_reason_is_told_and_not_only_the_first() {
        let spent =
            Slice { bonus: true, remaining: Money::ZERO, payer_name: None, ..slice("alipay", "2025-01-15") };
        check(&spent, "2025-12-16", "bonus window_closed empty", "bonus holder_unknown empty");
        check(&spent, "2025-12-15", "bonus empty", "bonus window_open holder_unknown empty");
    }

    #[test]
    fn r15_a_policy_may_open_the_bank_card_within_the_window() {
        let policy = Policy { voluntary_bank_card: VoluntaryBankCard::Allowed, ..Policy::default() };
        let today = "2025-02-01".parse().expect("a date");
        assert!(slice("wechat", "2025-01-15").exclusions(Route::BankCard, &policy, today).is_empty());
        assert!(slice("wechat", "2025-01-15").exclusions(Route::Source, &policy, today).is_empty());
        let transfer = slice("bank_transfer", "2025-01-15");
        assert!(!transfer.exclusions(Route::BankCard, &policy, today).is_empty(), "R8 knows no choice");
    }

    #[test]
    fn r12_a_card_is_in_the_name_of_the_wallet_or_of_the_account() {
        for (channel, expected) in [
            ("alipay", "张三"),
            ("wechat", "张三"),
            ("unionpay_personal", "李四"),
            ("unionpay_enterprise", "李四"),
        ] {
            assert_eq!(slice(channel, "2025-01-15").card_holder("李四"), Some(expected), "{channel}");
        }
        assert!(matches!(slice("alipay", "2025-01-15").channel, Channel::Alipay));
    }
}
