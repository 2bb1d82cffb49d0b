//! English and Chinese: the words of the console, and how figures are written.

use axum::http::HeaderMap;
use axum::http::header::ACCEPT_LANGUAGE;
use chrono::{DateTime, FixedOffset, NaiveDate, TimeDelta, Utc};
use domain::{Currency, LegState, Money, Rail, Route, WithdrawalState};
use maud::{Markup, html};
use store::operators::Role;

/// The language of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lang {
    /// English.
    English,
    /// Simplified Chinese.
    Chinese,
}

impl Lang {
    /// What the visitor chose, or else what the browser prefers.
    pub(crate) fn of(headers: &HeaderMap, chosen: Option<&str>) -> Self {
        let preferred = headers.get(ACCEPT_LANGUAGE).and_then(|it| it.to_str().ok()).unwrap_or_default();
        match chosen {
            Some("zh") => Self::Chinese,
            Some("en") => Self::English,
            _ if preferred.starts_with("zh") => Self::Chinese,
            _ => Self::English,
        }
    }

    /// The words in this language.
    pub(crate) const fn say(self, english: &'static str, chinese: &'static str) -> &'static str {
        match self {
            Self::English => english,
            Self::Chinese => chinese,
        }
    }

    /// The language for browsers.
    pub(crate) const fn tag(self) -> &'static str {
        self.say("en", "zh-CN")
    }

    /// A state of a withdrawal.
    pub(crate) const fn state(self, state: WithdrawalState) -> &'static str {
        use WithdrawalState as S;
        match state {
            S::Received => self.say("received", "已收到"),
            S::Rejected => self.say("rejected", "已拒绝"),
            S::AwaitingDetails => self.say("awaiting details", "待补账户信息"),
            S::PendingApproval => self.say("pending approval", "待审批"),
            S::Denied => self.say("denied", "审批未通过"),
            S::Expired => self.say("expired", "已过期"),
            S::Canceled => self.say("canceled", "已取消"),
            S::Approved => self.say("approved", "已批准"),
            S::Processing => self.say("processing", "处理中"),
            S::Completed => self.say("completed", "已完成"),
            S::PartiallyCompleted => self.say("partially completed", "部分完成"),
            S::Failed => self.say("failed", "失败"),
            S::OnHold => self.say("on hold", "已冻结"),
            S::ActionRequired => self.say("action required", "需要处理"),
        }
    }

    /// A state of a leg.
    pub(crate) const fn leg(self, state: LegState) -> &'static str {
        use LegState as S;
        match state {
            S::Planned => self.say("planned", "已计划"),
            S::Scheduled => self.say("scheduled", "已排期"),
            S::Dispatching => self.say("dispatching", "发送中"),
            S::Submitted => self.say("submitted", "渠道处理中"),
            S::Paid => self.say("paid", "已付款"),
            S::Failed => self.say("failed", "失败"),
            S::Unknown => self.say("unknown outcome", "结果未知"),
            S::Settled => self.say("settled", "已对账"),
            S::Rerouting => self.say("rerouting", "改道中"),
            S::Released => self.say("released", "已退回余额"),
            S::Returned => self.say("paid, then returned", "付款后被退回"),
            S::Held => self.say("held", "已冻结"),
            S::Canceled => self.say("canceled", "已取消"),
            S::ManualReview => self.say("manual review", "人工核查"),
        }
    }

    /// A channel.
    pub(crate) const fn rail(self, rail: Rail) -> &'static str {
        match rail {
            Rail::Alipay => self.say("Alipay", "支付宝"),
            Rail::WeChat => self.say("WeChat Pay", "微信支付"),
            Rail::UnionPay => self.say("UnionPay", "银联"),
            Rail::Bank => self.say("Bank", "银行"),
        }
    }

    /// A route.
    pub(crate) const fn route(self, route: Route) -> &'static str {
        match route {
            Route::Source => self.say("source account", "原路退回"),
            Route::BankCard => self.say("bank card", "银行卡"),
        }
    }

    /// A role.
    pub(crate) const fn role(self, role: Role) -> &'static str {
        match role {
            Role::Viewer => self.say("viewer", "查看"),
            Role::Operator => self.say("operator", "运营"),
            Role::Approver => self.say("approver", "审批"),
            Role::Admin => self.say("admin", "管理员"),
        }
    }
}

/// How urgent a state is: a class of the style sheet and a sign, so that colour is
/// never alone.
pub(crate) const fn tone(state: WithdrawalState) -> (&'static str, &'static str) {
    use WithdrawalState as S;
    match state {
        S::Completed => ("good", "✓"),
        S::PartiallyCompleted => ("warn", "◐"),
        S::PendingApproval | S::AwaitingDetails => ("wait", "●"),
        S::Received | S::Approved | S::Processing => ("busy", "▸"),
        S::OnHold => ("warn", "‖"),
        S::ActionRequired => ("bad", "!"),
        S::Rejected | S::Denied | S::Expired | S::Canceled | S::Failed => ("done", "×"),
    }
}

/// The same for a leg.
pub(crate) const fn leg_tone(state: LegState) -> (&'static str, &'static str) {
    use LegState as S;
    match state {
        S::Paid | S::Settled => ("good", "✓"),
        S::Planned | S::Scheduled => ("wait", "●"),
        S::Dispatching | S::Submitted => ("busy", "▸"),
        S::Unknown => ("bad", "?"),
        S::ManualReview | S::Returned => ("bad", "!"),
        S::Held | S::Rerouting => ("warn", "‖"),
        S::Failed | S::Released | S::Canceled => ("done", "×"),
    }
}

/// A mark with a word, in its tone.
pub(crate) fn badge((class, sign): (&str, &str), word: &str) -> Markup {
    html! { span class={ "badge " (class) } { span.sign aria-hidden="true" { (sign) } " " (word) } }
}

/// The mark of a withdrawal's state.
pub(crate) fn state(lang: Lang, it: WithdrawalState) -> Markup {
    badge(tone(it), lang.state(it))
}

/// The mark of a leg's state.
pub(crate) fn leg_state(lang: Lang, it: LegState) -> Markup {
    badge(leg_tone(it), lang.leg(it))
}

/// An amount in tabular figures, in groups of three.
pub(crate) fn amount(money: Money, currency: Currency) -> Markup {
    html! { span.amount { (grouped(&money.to_text(currency))) span.unit { " " (currency) } } }
}

/// An amount of counted things, which are kept in CNY.
pub(crate) fn yuan(money: Money) -> Markup {
    amount(money, Currency::Cny)
}

/// A decimal text in groups of three.
pub(crate) fn grouped(text: &str) -> String {
    let (whole, rest) = text.split_once('.').map_or((text, None), |(whole, rest)| (whole, Some(rest)));
    let mut out = String::with_capacity(text.len() + 4);
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) && digit.is_ascii_digit() {
            out.push(',');
        }
        out.push(digit);
    }
    if let Some(rest) = rest {
        out.push('.');
        out.push_str(rest);
    }
    out
}

fn shanghai(at: DateTime<Utc>) -> DateTime<FixedOffset> {
    at.with_timezone(&FixedOffset::east_opt(8 * 3600).expect("eight hours are an offset"))
}

/// A moment in Shanghai, with UTC for whoever points at it.
pub(crate) fn moment(at: DateTime<Utc>) -> Markup {
    let utc = at.format("%Y-%m-%d %H:%M:%S UTC").to_string();
    html! { time datetime=(at.to_rfc3339()) title=(utc) { (shanghai(at).format("%Y-%m-%d %H:%M:%S")) } }
}

/// A moment, or a dash.
pub(crate) fn moment_or_dash(at: Option<DateTime<Utc>>) -> Markup {
    at.map_or_else(|| html! { span.dim { "—" } }, moment)
}

/// A day with its weekday.
pub(crate) fn day(lang: Lang, date: NaiveDate) -> String {
    let weekday = match lang {
        Lang::English => date.format("%a").to_string(),
        Lang::Chinese => {
            let names = ["一", "二", "三", "四", "五", "六", "日"];
            let place = chrono::Datelike::weekday(&date).num_days_from_monday() as usize;
            format!("周{}", names[place])
        }
    };
    format!("{date} {weekday}")
}

/// How long ago, in the largest unit that fits.
pub(crate) fn age(lang: Lang, since: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let passed = now - since;
    let late = passed < TimeDelta::zero();
    let passed = passed.abs();
    let (number, english, chinese) = if passed.num_days() > 0 {
        (passed.num_days(), "d", "天")
    } else if passed.num_hours() > 0 {
        (passed.num_hours(), "h", "小时")
    } else if passed.num_minutes() > 0 {
        (passed.num_minutes(), "min", "分钟")
    } else {
        (passed.num_seconds(), "s", "秒")
    };
    let text = match lang {
        Lang::English => format!("{number} {english}"),
        Lang::Chinese => format!("{number}{chinese}"),
    };
    if late { format!("−{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::{Lang, age, grouped};

    #[test]
    fn figures_stand_in_groups_of_three() {
        for (text, expected) in
            [("0.00", "0.00"), ("999.99", "999.99"), ("1000.00", "1,000.00"), ("1234567", "1,234,567")]
        {
            assert_eq!(grouped(text), expected);
        }
    }

    #[test]
    fn an_age_is_told_in_the_largest_unit_that_fits() {
        let at = |text: &str| text.parse().unwrap();
        let now = at("2026-09-23T10:00:00Z");
        for (since, english, chinese) in [
            ("2026-09-23T09:59:18Z", "42 s", "42秒"),
            ("2026-09-23T09:00:01Z", "59 min", "59分钟"),
            ("2026-09-20T09:00:00Z", "3 d", "3天"),
            ("2026-09-23T13:00:00Z", "−3 h", "−3小时"),
        ] {
            assert_eq!(age(Lang::English, at(since), now), english);
            assert_eq!(age(Lang::Chinese, at(since), now), chinese);
        }
    }
}
