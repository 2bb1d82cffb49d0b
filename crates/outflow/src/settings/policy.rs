//! Limits, windows and cut-offs: data for the rules.

mod approval;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{NaiveTime, TimeDelta};
use domain::{Calendar, ChannelLimits, Currency, Money, Policy, VoluntaryBankCard, WindowMonths, Windows};
use schemars::JsonSchema;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use workers::PayoutPolicy;

use self::approval::ApprovalSettings;

/// The table `[policy]`. The defaults are cautious: nothing large leaves
/// without two people.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct PolicySettings {
    /// Up to this amount no person is needed.
    #[serde(deserialize_with = "amount", serialize_with = "amount_text")]
    #[schemars(with = "String")]
    pub(crate) auto_approve_up_to: Money,
    /// S01: people who must approve anything above.
    pub(crate) approvers: usize,
    /// R7: when bank payouts go out on working days, in Asia/Shanghai.
    #[serde(deserialize_with = "times", serialize_with = "time_texts")]
    #[schemars(with = "Vec<String>")]
    pub(crate) bank_cut_offs: Vec<NaiveTime>,
    /// R15: withdrawals that one account may have open at once.
    pub(crate) max_open_withdrawals: i32,
    /// R15: bank cards while the window to the source is open.
    pub(crate) voluntary_bank_card: bool,
    /// R15: contract entities whose contracts forbid refunds.
    pub(crate) refunds_forbidden: BTreeSet<String>,
    /// R11: days that a withdrawal waits for bank details.
    pub(crate) details_wait_days: u16,
    /// Days that a withdrawal waits for a decision.
    pub(crate) approval_wait_days: u16,
    /// Hours before the end of a wait at which somebody is reminded.
    pub(crate) remind_before_hours: u16,
    /// R7: working days before a deadline at which its leg is warned of.
    pub(crate) deadline_headroom_days: u16,
    /// What besides the amount makes people look.
    pub(crate) approval: ApprovalSettings,
    /// R6: months until which money goes back to its source.
    pub(crate) windows: WindowSettings,
    /// R18: what the channels themselves allow.
    pub(crate) limits: LimitSettings,
}

/// R6: months per channel, and the other months that contract entities agreed.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct WindowSettings {
    /// Where no other are agreed.
    pub(crate) general: Months,
    /// By the contract entity's name.
    pub(crate) of_entity: BTreeMap<String, Months>,
}

/// Months per channel.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Months {
    /// Alipay.
    alipay: u32,
    /// WeChat Pay.
    wechat: u32,
    /// UnionPay, individual e-banking.
    unionpay_personal: u32,
    /// UnionPay, enterprise e-banking.
    unionpay_enterprise: u32,
}

impl Default for Months {
    fn default() -> Self {
        let WindowMonths { alipay, wechat, unionpay_personal, unionpay_enterprise } = WindowMonths::default();
        Self { alipay, wechat, unionpay_personal, unionpay_enterprise }
    }
}

/// R18: months, days and refunds after which a channel refunds a payment no more.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct LimitSettings {
    /// Months after the payment in which Alipay refunds it.
    alipay_months: u32,
    /// Days after the payment in which WeChat Pay refunds it.
    wechat_days: u32,
    /// Partial refunds of one payment that WeChat Pay carries out.
    wechat_refunds: u32,
    /// Days after the payment in which UnionPay refunds it.
    unionpay_days: u32,
}

impl Default for LimitSettings {
    fn default() -> Self {
        let ChannelLimits { alipay_months, wechat_days, wechat_refunds, unionpay_days } =
            ChannelLimits::default();
        Self { alipay_months, wechat_days, wechat_refunds, unionpay_days }
    }
}

impl From<LimitSettings> for ChannelLimits {
    fn from(limits: LimitSettings) -> Self {
        let LimitSettings { alipay_months, wechat_days, wechat_refunds, unionpay_days } = limits;
        Self { alipay_months, wechat_days, wechat_refunds, unionpay_days }
    }
}

impl From<Months> for WindowMonths {
    fn from(months: Months) -> Self {
        let Months { alipay, wechat, unionpay_personal, unionpay_enterprise } = months;
        Self { alipay, wechat, unionpay_personal, unionpay_enterprise }
    }
}

impl Default for PolicySettings {
    fn default() -> Self {
        let rules = Policy::default();
        let days = |wait: TimeDelta| u16::try_from(wait.num_days()).expect("a wait of some days");
        Self {
            auto_approve_up_to: Money::from_minor(500_000),
            approvers: 2,
            bank_cut_offs: rules.bank_cut_offs,
            max_open_withdrawals: rules.max_open_withdrawals,
            voluntary_bank_card: false,
            refunds_forbidden: rules.refunds_forbidden,
            details_wait_days: days(rules.details_wait),
            approval_wait_days: days(rules.approval_wait),
            remind_before_hours: 24,
            deadline_headroom_days: 1,
            approval: ApprovalSettings::default(),
            windows: WindowSettings::default(),
            limits: LimitSettings::default(),
        }
    }
}

impl PolicySettings {
    /// What the rules decide requests by.
    pub(crate) fn rules(&self) -> Policy {
        let of_entity = self.windows.of_entity.iter().map(|(name, months)| (name.clone(), (*months).into()));
        Policy {
            windows: Windows { general: self.windows.general.into(), of_entity: of_entity.collect() },
            limits: self.limits.into(),
            max_open_withdrawals: self.max_open_withdrawals,
            voluntary_bank_card: if self.voluntary_bank_card {
                VoluntaryBankCard::Allowed
            } else {
                VoluntaryBankCard::Forbidden
            },
            refunds_forbidden: self.refunds_forbidden.clone(),
            bank_cut_offs: self.bank_cut_offs.clone(),
            details_wait: TimeDelta::days(self.details_wait_days.into()),
            approval_wait: TimeDelta::days(self.approval_wait_days.into()),
        }
    }

    /// What approvals and payouts go by.
    pub(crate) fn payouts(&self, calendar: Calendar) -> PayoutPolicy {
        PayoutPolicy {
            auto_approve_up_to: self.auto_approve_up_to,
            approvers: self.approvers,
            calendar: Arc::new(calendar),
            bank_cut_offs: self.bank_cut_offs.clone(),
            deadline_headroom_days: self.deadline_headroom_days.into(),
            remind_before: TimeDelta::hours(self.remind_before_hours.into()),
            approval: self.approval.rules(),
        }
    }
}

/// An amount in RMB as a text: TOML's floats are no money either.
pub(super) fn amount<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Money, D::Error> {
    let text = String::deserialize(deserializer)
        .map_err(|_| D::Error::custom("expected an amount as a text, such as \"5000.00\""))?;
    Money::parse(&text, Currency::Cny).map_err(|error| D::Error::custom(format!("the amount {error}")))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
pub(super) fn amount_text<S: Serializer>(amount: &Money, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&amount.to_text(Currency::Cny))
}

/// Times of day such as "16:30".
fn times<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<NaiveTime>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    if texts.is_empty() {
        return Err(D::Error::custom("a bank needs at least one cut-off"));
    }
    let time = |text: &String| NaiveTime::parse_from_str(text, "%H:%M");
    texts
        .iter()
        .map(|text| time(text).map_err(|_| D::Error::custom("expected a time of day, such as \"16:30\"")))
        .collect()
}

fn time_texts<S: Serializer>(times: &[NaiveTime], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(times.iter().map(|time| time.format("%H:%M").to_string()))
}
