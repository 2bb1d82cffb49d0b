//! What happens in the demo: every request, and how its story must end.

use domain::{Route, WithdrawalState};

use super::cast::{self, Card, Customer};

/// One request and its end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Story {
    /// The number of the request.
    pub(crate) id: &'static str,
    /// Whose.
    pub(crate) account: &'static str,
    /// What it is about.
    pub(crate) title: &'static str,
    /// How much is asked for, in yuan.
    pub(crate) amount: &'static str,
    /// By which route.
    pub(crate) route: Route,
    /// From which top-ups; empty is from all of them.
    pub(crate) chosen: &'static [&'static str],
    /// The receiving card.
    pub(crate) card: Option<Card>,
    /// Whether the customer entered the code (R10).
    pub(crate) code: Code,
    /// The state in which it ends.
    pub(crate) ends: WithdrawalState,
    /// The LIFO draw, newest first, in yuan (R9).
    pub(crate) draws: &'static [(&'static str, &'static str)],
    /// Every reason of a rejection, by code.
    pub(crate) reasons: &'static [&'static str],
}

/// Whether the customer entered the verification code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    Entered,
    NotEntered,
}

impl Story {
    /// Who asks.
    pub(crate) fn customer(&self) -> &'static Customer {
        cast::customer(self.account)
    }

    /// Who pressed the button.
    pub(crate) fn requester(&self) -> String {
        self.account.trim_start_matches("acct-").to_owned()
    }
}

use WithdrawalState as S;

const fn to_source(
    id: &'static str,
    account: &'static str,
    title: &'static str,
    amount: &'static str,
) -> Story {
    Story {
        id,
        account,
        title,
        amount,
        route: Route::Source,
        chosen: &[],
        card: None,
        code: Code::Entered,
        ends: S::Completed,
        draws: &[],
        reasons: &[],
    }
}

const fn to_card(
    id: &'static str,
    account: &'static str,
    title: &'static str,
    amount: &'static str,
) -> Story {
    Story { route: Route::BankCard, ..to_source(id, account, title, amount) }
}

const fn card(holder: &'static str, number: &'static str) -> Card {
    Card { holder, number, bank_name: "招商银行", branch: "上海分行营业部", cnaps: "308290003011" }
}

/// The one that needs two people.
pub(crate) const NEEDS_PEOPLE: &str = "R07";
/// The one that a reviewer refuses.
pub(crate) const DENIED: &str = "R08";
/// The one that an invoice stops for a while.
pub(crate) const STOPPED: &str = "R05";
/// The one that is published twice.
pub(crate) const REPEATED: &str = "R02";
/// The one whose way back is closed, and the card that its customer names then.
pub(crate) const REROUTED: &str = "R02";
pub(crate) const OTHER_WAY: Card = card("张敏", "6225880211118888");
/// The one under whose number something else is asked.
pub(crate) const CONTRADICTED: &str = "R03";
/// The one whose reply is lost after the money moved.
pub(crate) const REPLY_LOST: &str = "R13";

/// Every story, in the order of the requests.
pub(crate) const STORIES: &[Story] = &[
    Story {
        draws: &[("A3", "150.00"), ("A2", "200.00"), ("A1", "50.00")],
        ..to_source("R01", "acct-li-wei", "last in, first out; the last slice in part", "400.00")
    },
    Story {
        draws: &[("B1", "88.80")],
        ..to_source("R02", "acct-zhang-min", "WeChat refuses: to a bank card instead", "88.80")
    },
    Story {
        draws: &[("C1", "600.00")],
        ..to_source("R03", "acct-chen-jie", "a part back to UnionPay", "600.00")
    },
    Story {
        draws: &[("D3", "80.50"), ("D2", "120.00"), ("D1", "99.50")],
        ..to_source("R04", "acct-ma-jun", "one request, three channels", "300.00")
    },
    Story {
        draws: &[("E1", "4500.00")],
        ..to_source("R05", "acct-longjing", "a bank transfer goes back, across a holiday", "4500.00")
    },
    Story {
        card: Some(card("王芳", "6225880212345678")),
        chosen: &["F1"],
        draws: &[("F1", "640.00")],
        ..to_card("R06", "acct-wang-fang", "too old for Alipay: to her bank card", "640.00")
    },
    Story {
        draws: &[("G1", "12000.00")],
        ..to_source("R07", "acct-sun-yue", "large: needs two people", "12000.00")
    },
    Story {
        ends: S::Denied,
        draws: &[("H1", "8000.00")],
        ..to_source("R08", "acct-he-qiang", "large, and a reviewer says no", "8000.00")
    },
    Story {
        ends: S::Rejected,
        reasons: &["exceeds_route"],
        ..to_source("R09", "acct-zhou-ting", "earned a bonus: stays", "200.00")
    },
    Story {
        ends: S::Rejected,
        code: Code::NotEntered,
        reasons: &["partner_advance_payment", "real_name_not_verified", "verification_failed"],
        ..to_source("R10", "acct-bluebird", "three reasons at once", "1000.00")
    },
    Story {
        ends: S::Rejected,
        reasons: &["exceeds_withdrawable"],
        ..to_source("R11", "acct-xu-lan", "an unpaid invoice of 800.00 comes first", "500.00")
    },
    Story {
        ends: S::Rejected,
        card: Some(card("邓夫人", "6225880298761234")),
        chosen: &["M1"],
        reasons: &["holder_mismatch"],
        ..to_card("R12", "acct-deng-hao", "the card is in his wife's name", "450.00")
    },
    Story {
        draws: &[("N1", "66.60")],
        ..to_source("R13", "acct-lin-na", "the reply is lost after the money moved", "66.60")
    },
    Story {
        ends: S::Failed,
        card: Some(card("郭平", "6225880287650002")),
        chosen: &["P1"],
        draws: &[("P1", "210.00")],
        ..to_card("R14", "acct-guo-ping", "the bank knows no such card: money back", "210.00")
    },
    Story {
        ends: S::Expired,
        chosen: &["Q1"],
        draws: &[("Q1", "320.00")],
        ..to_card("R15", "acct-tang-yi", "bank details never come", "320.00")
    },
];

/// The story of a request.
pub(crate) fn story(id: &str) -> Option<&'static Story> {
    STORIES.iter().find(|it| it.id == id)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use domain::{Currency, Money};

    use super::{STORIES, story};
    use crate::demo::cast::find_top_up;

    fn fen(text: &str) -> i64 {
        Money::parse(text, Currency::Cny).unwrap().minor()
    }

    #[test]
    fn every_story_has_a_customer_and_draws_what_it_asks_for() {
        let ids: BTreeSet<_> = STORIES.iter().map(|it| it.id).collect();
        assert_eq!(ids.len(), STORIES.len());
        for it in STORIES {
            let own: BTreeSet<_> = it.customer().top_ups.iter().map(|it| it.id).collect();
            let drawn: i64 = it.draws.iter().map(|(_, amount)| fen(amount)).sum();
            assert!(it.draws.is_empty() || drawn == fen(it.amount), "{}", it.id);
            assert!(it.draws.is_empty() != it.reasons.is_empty(), "{}", it.id);
            for (id, amount) in it.draws {
                assert!(own.contains(id) && fen(amount) <= fen(find_top_up(id).unwrap().amount), "{}", it.id);
            }
        }
        assert!(story("R99").is_none());
    }
}
