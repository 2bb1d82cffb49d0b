//! What the upstream of a run says: accounts with money from four channels, and
//! requests that draw on it.
//!
//! Which channel holds the newest money changes from account to account, so that
//! the withdrawals pass through all of them. Every tenth account is a large one,
//! whose withdrawals need people.

use broker::Outgoing;
use broker::contract::{
    AccountKind, AccountUpserted, Amount, BankAccount, Decision, Fact, Invoice, PartnerMode, Stamp,
    TopUpCredited, WithdrawalDecided, WithdrawalRequested,
};
use broker::topology::{DECISIONS, FACTS, REQUESTS};
use chrono::{DateTime, TimeDelta, Utc};
use domain::{Channel, Currency, Money, Route};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::mix::{self, Treatment};

/// Requests of one account.
pub(crate) const PER_ACCOUNT: usize = 5;

/// What each top-up of an account holds, and what each request asks for, in fen:
/// two requests empty a top-up and every third spans two of them.
const SMALL: (i64, i64) = (10_000, 4_000);
const LARGE: (i64, i64) = (2_000_000, 800_000);

/// Every so many accounts is a large one.
pub(crate) const LARGE_EVERY: usize = 10;

/// The channels, and how each counts its payments.
pub(crate) const CHANNELS: [(Channel, &str, &str); 4] = [
    (Channel::Alipay, "alipay", "2026100122001"),
    (Channel::WeChat, "wechat", "4200002026100"),
    (Channel::UnionPayPersonal, "unionpay", "612601"),
    (Channel::BankTransfer, "bank", "3305016"),
];

/// Who says it.
pub(crate) const SOURCE: &str = "/chaos";

/// A top-up in the making.
#[derive(Debug, Clone)]
struct TopUp {
    id: String,
    channel: Channel,
    channel_name: &'static str,
    number: String,
    arrived_at: DateTime<Utc>,
    amount: i64,
}

/// What will be said.
pub(crate) struct Plan {
    withdrawals: usize,
    at: DateTime<Utc>,
    /// The number of the first account.
    first: usize,
    accounts: Vec<Vec<TopUp>>,
    /// The treatments that were dealt out.
    treatments: Vec<Treatment>,
}

fn text<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("the texts of a run fit the contract")
}

fn fen(amount: i64) -> Amount {
    Amount::new(Money::from_minor(amount), Currency::Cny)
}

fn account_id(account: usize) -> String {
    format!("acct-{account}")
}

const fn sizes(account: usize) -> (i64, i64) {
    if account % LARGE_EVERY == LARGE_EVERY - 1 { LARGE } else { SMALL }
}

impl Plan {
    /// A plan for that many withdrawals, made now.
    pub(crate) fn of(withdrawals: usize, seed: u64, at: DateTime<Utc>) -> Self {
        let mut dice = StdRng::seed_from_u64(seed);
        let mut treatments = Vec::new();
        let mut treat = || {
            // The newest money of an account is the first that leaves.
            let (account, place) = (treatments.len() / CHANNELS.len(), treatments.len() % CHANNELS.len());
            let newest = (place + 1 == CHANNELS.len()).then_some(account);
            treatments.push(mix::draw(newest, &mut dice));
            treatments[treatments.len() - 1]
        };
        let accounts = (0..withdrawals.div_ceil(PER_ACCOUNT)).map(|it| top_ups(it, at, &mut treat)).collect();
        Self { withdrawals, at, first: 0, accounts, treatments }
    }

    /// Accounts whose payments are just made, from the number `first` on.
    pub(crate) fn of_accounts(first: usize, count: usize, at: DateTime<Utc>) -> Self {
        let accounts = (first..first + count).map(|it| top_ups(it, at, &mut || mix::PAID)).collect();
        Self { withdrawals: 0, at, first, accounts, treatments: Vec::new() }
    }

    /// How many top-ups there are.
    pub(crate) fn top_ups(&self) -> usize {
        self.accounts.len() * CHANNELS.len()
    }

    /// Each top-up whose payments are not just made: its id, the fault, and the end of the number.
    pub(crate) fn dealt(&self) -> Vec<(&str, &'static str, &'static str)> {
        let top_ups = self.accounts.iter().flatten().map(|it| it.id.as_str());
        let dealt = top_ups.zip(&self.treatments);
        dealt.filter_map(|(id, it)| Some((id, it.fault?, it.ending))).collect()
    }

    /// The payments that the gateways know; a bank transfer is none.
    pub(crate) fn trades(&self) -> Vec<Value> {
        let wallets = self.accounts.iter().flatten().filter(|it| it.channel != Channel::BankTransfer);
        let trade = |it: &TopUp| {
            json!({
                "channel": it.channel_name, "trade_no": it.number, "out_trade_no": it.id,
                "total_fen": it.amount, "paid_at": it.arrived_at.to_rfc3339(),
            })
        };
        wallets.map(trade).collect()
    }

    /// Everything about the accounts, in the order of their versions.
    pub(crate) fn facts(&self) -> Vec<Outgoing> {
        let mut facts = Vec::new();
        for (account, top_ups) in self.accounts.iter().enumerate() {
            let account = self.first + account;
            facts.push(fact(account, 1, opened(account, 1), self.at));
            for (place, it) in top_ups.iter().enumerate() {
                facts.push(fact(account, place + 2, credited(account, place, it), self.at));
            }
        }
        facts
    }

    /// The requests, by their ids. Neighbours belong to different accounts.
    pub(crate) fn requests(&self) -> Vec<Outgoing> {
        (0..self.withdrawals).map(|number| request(number % self.accounts.len(), number, self.at)).collect()
    }
}

/// The top-ups of an account, oldest first.
fn top_ups(account: usize, at: DateTime<Utc>, treat: &mut impl FnMut() -> Treatment) -> Vec<TopUp> {
    let top_up = |place: usize| {
        let (channel, channel_name, prefix) = CHANNELS[(account + place) % CHANNELS.len()];
        let digits = if channel == Channel::BankTransfer { 9 } else { 11 };
        TopUp {
            id: format!("t{account}-{place}"),
            channel,
            channel_name,
            number: format!("{prefix}{account:0digits$}{}", treat().ending),
            arrived_at: at - TimeDelta::days(20 - i64::try_from(place).expect("a few")),
            amount: sizes(account).0,
        }
    };
    (0..CHANNELS.len()).map(top_up).collect()
}

fn fact(account: usize, version: usize, fact: Fact, at: DateTime<Utc>) -> Outgoing {
    let id = format!("f{account}-{version}");
    let stamp = Stamp { source: text(SOURCE), id: text(&id), time: at };
    Outgoing::work(FACTS, id, fact.into_message(stamp).to_json())
}

/// What is known of an account, said again under a later version.
pub(crate) fn update(account: usize, version: usize, at: DateTime<Utc>) -> Outgoing {
    fact(account, version, opened(account, version), at)
}

/// An invoice on all the money of an account (R4): nothing of it may leave.
pub(crate) fn invoice_on_everything(account: usize, version: usize, at: DateTime<Utc>) -> Outgoing {
    fact(account, version, Fact::InvoiceIssued(invoice(account, version)), at)
}

/// The same invoice, settled.
pub(crate) fn invoice_is_paid(account: usize, version: usize, at: DateTime<Utc>) -> Outgoing {
    fact(account, version, Fact::InvoicePaid(invoice(account, version)), at)
}

fn invoice(account: usize, version: usize) -> Invoice {
    Invoice {
        account_id: text(&account_id(account)),
        version: version as u64,
        invoice_id: text("INV-1"),
        amount: fen(sizes(account).0 * 4),
        currency: Currency::Cny,
    }
}

/// One request for money of an account.
pub(crate) fn request(account: usize, number: usize, at: DateTime<Utc>) -> Outgoing {
    let request = WithdrawalRequested {
        account_id: text(&account_id(account)),
        amount: fen(sizes(account).1),
        currency: Currency::Cny,
        route: Route::Source,
        transactions: None,
        bank_account: None,
        requester: text("customer"),
        requested_at: at,
        verification: None,
    };
    let id = format!("w{number}");
    let stamp = Stamp { source: text(SOURCE), id: text(&id), time: at };
    Outgoing::work(REQUESTS, id, request.into_message(stamp).to_json())
}

/// What a person decides about a withdrawal whose effect they saw.
pub(crate) fn decision(
    about: Uuid,
    decision: Decision,
    actor: &str,
    effect: Option<&[u8]>,
    at: DateTime<Utc>,
) -> Outgoing {
    let decided = WithdrawalDecided {
        withdrawal_id: about,
        decision,
        actor: text(actor),
        reason: text("looked at"),
        effect_digest: effect.map(|it| text(&hex::encode(it))),
    };
    let id = format!("{about}-{actor}");
    let stamp = Stamp { source: text("/review"), id: text(&id), time: at };
    Outgoing::work(DECISIONS, id, decided.into_message(stamp).to_json())
}

/// The kinds of messages that nobody can use.
const POISONS: usize = 4;

/// Whether this one is larger than any message may be.
pub(crate) const fn is_oversize(number: usize) -> bool {
    number % POISONS == POISONS - 1
}

/// A message that nobody can use. The kinds take turns.
pub(crate) fn poison(number: usize) -> Outgoing {
    let good = request(0, 1_000_000 + number, DateTime::UNIX_EPOCH);
    let body = String::from_utf8(good.body.clone()).expect("JSON is a text");
    let body = match number % POISONS {
        0 => "this is no message".to_owned(),
        1 => body.replace("\"40.00\"", "40.0"),
        2 => body.replace("\"customer\"", "\"cust\\u0000mer\""),
        _ => body.replace("customer", &"x".repeat(300_000)),
    };
    Outgoing { message_id: format!("poison-{number}"), body: body.into_bytes(), ..good }
}

fn opened(account: usize, version: usize) -> Fact {
    Fact::AccountUpserted(AccountUpserted {
        account_id: text(&account_id(account)),
        version: version as u64,
        currency: Currency::Cny,
        kind: AccountKind::Person,
        real_name: text("张三"),
        real_name_verified: true,
        partner_mode: PartnerMode::None,
        master_account_id: None,
        contract_entity: text("default"),
        refunds_forbidden: false,
    })
}

fn credited(account: usize, place: usize, it: &TopUp) -> Fact {
    let from_bank = it.channel == Channel::BankTransfer;
    Fact::TopUpCredited(TopUpCredited {
        account_id: text(&account_id(account)),
        version: place as u64 + 2,
        top_up_id: text(&it.id),
        channel: it.channel,
        amount: fen(it.amount),
        currency: Currency::Cny,
        arrived_at: it.arrived_at,
        channel_paid_at: Some(it.arrived_at),
        trade_no: (!from_bank).then(|| text(&it.number)),
        out_trade_no: (!from_bank).then(|| text(&it.id)),
        payer_name: None,
        bank_account: from_bank.then(|| BankAccount {
            holder: text("张三"),
            number: text(&it.number),
            bank_name: text("中国建设银行"),
            branch: text("杭州西湖支行"),
            cnaps: text("105331000042"),
        }),
        bonus: false,
        contract_entity: None,
    })
}
