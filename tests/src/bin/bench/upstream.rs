//! What the upstream says: accounts with money from three channels, and requests
//! that draw on it.
//!
//! Which channel holds the newest money changes from account to account, so
//! that LIFO sends the withdrawals through all of them evenly. The bank is left
//! out: its payouts wait for the next cut-off, which is not a matter of speed.

use broker::Outgoing;
use broker::contract::{
    AccountKind, AccountUpserted, Amount, Fact, PartnerMode, Stamp, TopUpCredited, WithdrawalRequested,
};
use broker::topology::{FACTS, REQUESTS};
use chrono::{DateTime, TimeDelta, Utc};
use domain::{Channel, Currency, Money, Route};
use serde_json::{Value, json};

/// Requests of one account, unless the number of accounts is given.
const PER_ACCOUNT: usize = 5;

/// What each top-up of an account holds, and what each request asks for, in fen.
/// Two requests empty a top-up and every third spans two of them: for five requests
/// there are as many top-ups as channels.
const TOP_UP_FEN: i64 = 10_000;
const REQUEST_FEN: i64 = 4_000;

/// The channels, and how they count their payments.
const CHANNELS: [(Channel, &str, &str); 3] = [
    (Channel::Alipay, "alipay", "2026100122001"),
    (Channel::WeChat, "wechat", "4200002026100"),
    (Channel::UnionPayPersonal, "unionpay", "612601"),
];

/// What will be said.
pub(crate) struct Plan {
    withdrawals: usize,
    accounts: usize,
    at: DateTime<Utc>,
}

/// A top-up in the making.
struct TopUp {
    id: String,
    channel: Channel,
    channel_name: &'static str,
    trade_no: String,
    arrived_at: DateTime<Utc>,
}

fn text<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("the benchmark's texts fit the contract")
}

fn fen(amount: i64) -> Amount {
    Amount::new(Money::from_minor(amount), Currency::Cny)
}

impl Plan {
    /// A plan for that many withdrawals, made now.
    pub(crate) fn of(withdrawals: usize, at: DateTime<Utc>) -> Self {
        Self { withdrawals, accounts: withdrawals.div_ceil(PER_ACCOUNT), at }
    }

    /// The same withdrawals, out of so many accounts.
    pub(crate) fn out_of(self, accounts: usize) -> Self {
        Self { accounts, ..self }
    }

    /// How many top-ups there are.
    pub(crate) fn top_ups(&self) -> usize {
        self.accounts * self.top_ups_each()
    }

    /// How many top-ups each account needs.
    fn top_ups_each(&self) -> usize {
        self.withdrawals.div_ceil(self.accounts).div_ceil(PER_ACCOUNT) * CHANNELS.len()
    }

    /// The payments that the gateways know.
    pub(crate) fn trades(&self) -> Vec<Value> {
        let trade = |it: TopUp| {
            json!({
                "channel": it.channel_name, "trade_no": it.trade_no, "out_trade_no": it.id,
                "total_fen": TOP_UP_FEN, "paid_at": it.arrived_at.to_rfc3339(),
            })
        };
        (0..self.accounts).flat_map(|account| self.top_ups_of(account)).map(trade).collect()
    }

    /// The top-ups of an account, oldest first.
    fn top_ups_of(&self, account: usize) -> Vec<TopUp> {
        let top_up = |place: usize| {
            let (channel, channel_name, prefix) = CHANNELS[(account + place) % CHANNELS.len()];
            TopUp {
                id: format!("t{account}-{place}"),
                channel,
                channel_name,
                // The ending is none of the simulator's magic ones.
                trade_no: format!("{prefix}{:011}4242", account * self.top_ups_each() + place),
                arrived_at: self.at - TimeDelta::days(20)
                    + TimeDelta::seconds(i64::try_from(place).expect("a few")),
            }
        };
        (0..self.top_ups_each()).map(top_up).collect()
    }

    /// Everything about the accounts.
    pub(crate) fn facts(&self) -> impl Iterator<Item = Outgoing> {
        (0..self.accounts).flat_map(move |account| {
            let opened = self.fact(account, 1, opened(account));
            let credits = self.top_ups_of(account).into_iter().enumerate();
            let credits =
                credits.map(move |(place, it)| self.fact(account, place + 2, credited(account, place, &it)));
            std::iter::once(opened).chain(credits)
        })
    }

    fn fact(&self, account: usize, version: usize, fact: Fact) -> Outgoing {
        let id = format!("f{account}-{version}");
        let stamp = Stamp { source: text("/bench"), id: text(&id), time: self.at };
        Outgoing::work(FACTS, id, fact.into_message(stamp).to_json())
    }

    /// The requests. Neighbours in the queue belong to different accounts.
    pub(crate) fn requests(&self) -> impl Iterator<Item = Outgoing> {
        (0..self.withdrawals).map(move |number| {
            let account = number % self.accounts;
            let request = WithdrawalRequested {
                account_id: text(&account_id(account)),
                amount: fen(REQUEST_FEN),
                currency: Currency::Cny,
                route: Route::Source,
                transactions: None,
                bank_account: None,
                requester: text("bench"),
                requested_at: self.at,
                verification: None,
            };
            let id = format!("w{number}");
            let stamp = Stamp { source: text("/bench"), id: text(&id), time: self.at };
            Outgoing::work(REQUESTS, id, request.into_message(stamp).to_json())
        })
    }
}

fn account_id(account: usize) -> String {
    format!("acct-{account}")
}

fn opened(account: usize) -> Fact {
    Fact::AccountUpserted(AccountUpserted {
        account_id: text(&account_id(account)),
        version: 1,
        currency: Currency::Cny,
        kind: AccountKind::Person,
        real_name: text("李伟"),
        real_name_verified: true,
        partner_mode: PartnerMode::None,
        master_account_id: None,
        contract_entity: text("default"),
        refunds_forbidden: false,
    })
}

fn credited(account: usize, place: usize, it: &TopUp) -> Fact {
    Fact::TopUpCredited(TopUpCredited {
        account_id: text(&account_id(account)),
        version: place as u64 + 2,
        top_up_id: text(&it.id),
        channel: it.channel,
        amount: fen(TOP_UP_FEN),
        currency: Currency::Cny,
        arrived_at: it.arrived_at,
        channel_paid_at: Some(it.arrived_at),
        trade_no: Some(text(&it.trade_no)),
        out_trade_no: Some(text(&it.id)),
        payer_name: None,
        bank_account: None,
        bonus: false,
        contract_entity: None,
    })
}
