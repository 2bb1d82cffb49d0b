//! The upstream's messages: facts, requests, decisions, and one that is broken.

use std::collections::BTreeMap;

use broker::Outgoing;
use broker::contract::{
    AccountUpserted, Amount, BankAccount, Decision, EffectDigest, Fact, Identifier, Invoice,
    PartialBankAccount, Stamp, TopUpCredited, Transactions, WithdrawalDecided, WithdrawalDetails,
    WithdrawalRequested,
};
use broker::topology::{DECISIONS, FACTS, REQUESTS};
use chrono::{DateTime, Utc};
use domain::{Channel, Currency, Money};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use simulator::Trade;
use uuid::Uuid;
use workers::verification::{Binding, Proofs};

use super::cast::{CUSTOMERS, Card, Customer, LONGJING_ACCOUNT, Mark, TopUp, Verified};
use super::stories::{Code, Story};
use crate::stage::UPSTREAM_KEY;

/// Who says what happened to accounts.
const BILLING: &str = "/shop/billing";
/// Who passes on what customers ask for.
const CONSOLE: &str = "/shop/console";
/// Who passes on what reviewers decide.
const REVIEW: &str = "/shop/review";

/// The upstream's pen: it numbers facts and signs proofs.
pub(crate) struct Pen {
    versions: BTreeMap<&'static str, u64>,
    trade_numbers: BTreeMap<&'static str, String>,
    proofs: Proofs,
    written: u64,
}

/// Reads a text of the demo into a type of the contract.
fn text<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("the demo's texts fit the contract")
}

fn fen(amount: &str) -> Money {
    Money::parse(amount, Currency::Cny).expect("the demo's amounts are amounts")
}

fn yuan(amount: &str) -> Amount {
    Amount::new(fen(amount), Currency::Cny)
}

impl Pen {
    /// A pen whose numbers follow from `seed`.
    pub(crate) fn new(proofs: Proofs, seed: u64) -> Self {
        let mut dice = StdRng::seed_from_u64(seed);
        let mut number = |it: &TopUp| {
            let (prefix, digits) = match it.channel {
                Channel::Alipay => ("20260922", 16),
                Channel::WeChat => ("4200002", 17),
                _ => ("8102609", 10),
            };
            let middle: String = (0..digits).map(|_| char::from(b'1' + dice.random_range(0..9))).collect();
            (it.id, format!("{prefix}{middle}{}", it.ending))
        };
        let top_ups = CUSTOMERS.iter().flat_map(|it| it.top_ups);
        let trade_numbers =
            top_ups.filter(|it| it.channel != Channel::BankTransfer).map(&mut number).collect();
        Self { versions: BTreeMap::new(), trade_numbers, proofs, written: 0 }
    }

    fn stamp(&mut self, source: &str, time: DateTime<Utc>) -> Stamp {
        self.written += 1;
        Stamp { source: text(source), id: text(&format!("msg-{:04}", self.written)), time }
    }

    /// The next fact of an account.
    fn fact(
        &mut self,
        account: &'static str,
        at: DateTime<Utc>,
        fact: impl FnOnce(Identifier, u64) -> Fact,
    ) -> Outgoing {
        let version = self.versions.entry(account).or_default();
        *version += 1;
        let fact = fact(text(account), *version);
        let stamp = self.stamp(BILLING, at);
        let id = stamp.id.to_string();
        Outgoing::work(FACTS, id, fact.into_message(stamp).to_json())
    }

    /// How many facts an account has by now.
    pub(crate) fn version_of(&self, account: &str) -> u64 {
        self.versions.get(account).copied().unwrap_or_default()
    }

    /// Everything that the upstream knows about a customer at the opening.
    pub(crate) fn history_of(&mut self, customer: &'static Customer, at: DateTime<Utc>) -> Vec<Outgoing> {
        let mut letters = vec![self.fact(customer.account, at, |account_id, version| {
            Fact::AccountUpserted(AccountUpserted {
                account_id,
                version,
                currency: Currency::Cny,
                kind: customer.kind,
                real_name: text(customer.real_name),
                real_name_verified: customer.verified == Verified::Yes,
                partner_mode: customer.partner,
                master_account_id: None,
                contract_entity: text("default"),
                refunds_forbidden: false,
            })
        })];
        for it in customer.top_ups {
            let credited = self.credited(customer, it);
            letters.push(self.fact(customer.account, at, |account_id, version| {
                Fact::TopUpCredited(TopUpCredited { account_id, version, ..credited })
            }));
        }
        if let Some(amount) = customer.invoice {
            letters.push(self.invoice(customer.account, amount, at));
        }
        letters
    }

    fn credited(&self, customer: &Customer, it: &TopUp) -> TopUpCredited {
        let number = self.trade_numbers.get(it.id);
        TopUpCredited {
            account_id: text(customer.account),
            version: 1,
            top_up_id: text(it.id),
            channel: it.channel,
            amount: yuan(it.amount),
            currency: Currency::Cny,
            arrived_at: text(it.arrived),
            channel_paid_at: None,
            trade_no: number.map(|it| text(it)),
            out_trade_no: number.map(|_| text(&out_trade_no(it))),
            payer_name: Some(text(customer.real_name)),
            bank_account: (it.channel == Channel::BankTransfer).then(|| bank_account(&LONGJING_ACCOUNT)),
            bonus: it.mark == Mark::Bonus,
            contract_entity: None,
        }
    }

    /// An invoice that goes out (R4).
    pub(crate) fn invoice(&mut self, account: &'static str, amount: &str, at: DateTime<Utc>) -> Outgoing {
        self.fact(account, at, |account_id, version| {
            Fact::InvoiceIssued(Invoice {
                account_id,
                version,
                invoice_id: text("INV-1"),
                amount: yuan(amount),
                currency: Currency::Cny,
            })
        })
    }

    /// The same invoice, settled.
    pub(crate) fn invoice_paid(
        &mut self,
        account: &'static str,
        amount: &str,
        at: DateTime<Utc>,
    ) -> Outgoing {
        self.fact(account, at, |account_id, version| {
            Fact::InvoicePaid(Invoice {
                account_id,
                version,
                invoice_id: text("INV-1"),
                amount: yuan(amount),
                currency: Currency::Cny,
            })
        })
    }

    /// The request of a story, asking for `amount`.
    pub(crate) fn request(&self, story: &Story, amount: &str, at: DateTime<Utc>) -> Outgoing {
        let binding = Binding {
            account_id: story.account,
            amount: fen(amount),
            currency: Currency::Cny,
            route: story.route,
            request_id: story.id,
        };
        let token = match (&self.proofs, story.code) {
            (Proofs::Required(ring), Code::Entered) => ring.mint(UPSTREAM_KEY, &binding, at),
            _ => None,
        };
        let transactions = match (story.chosen, story.route) {
            ([], domain::Route::Source) => None,
            ([], domain::Route::BankCard) => Some(Transactions::Auto),
            (chosen, _) => Some(Transactions::Chosen(chosen.iter().map(|it| text(it)).collect())),
        };
        let request = WithdrawalRequested {
            account_id: text(story.account),
            amount: yuan(amount),
            currency: Currency::Cny,
            route: story.route,
            transactions,
            bank_account: story.card.as_ref().map(|card| partial(&bank_account(card))),
            requester: text(&story.requester()),
            requested_at: at,
            verification: token.map(|it| text(&it)),
        };
        let stamp = Stamp { source: text(CONSOLE), id: text(story.id), time: at };
        Outgoing::work(REQUESTS, story.id, request.into_message(stamp).to_json())
    }

    /// What a person decides about a withdrawal.
    pub(crate) fn decision(&mut self, about: Uuid, what: &Decided<'_>, at: DateTime<Utc>) -> Outgoing {
        let decided = WithdrawalDecided {
            withdrawal_id: about,
            decision: what.decision,
            actor: text(what.actor),
            reason: text(what.reason),
            effect_digest: what.effect.cloned(),
        };
        let stamp = self.stamp(REVIEW, at);
        let id = stamp.id.to_string();
        Outgoing::work(DECISIONS, id, decided.into_message(stamp).to_json())
    }

    /// Where the money of a withdrawal goes instead, and who says so.
    pub(crate) fn details(
        &mut self,
        about: Uuid,
        (card, actor): (&Card, &str),
        at: DateTime<Utc>,
    ) -> Outgoing {
        let details = WithdrawalDetails {
            withdrawal_id: about,
            bank_account: partial(&bank_account(card)),
            actor: text(actor),
            expected_version: None,
        };
        let stamp = self.stamp(CONSOLE, at);
        let id = stamp.id.to_string();
        Outgoing::work(DECISIONS, id, details.into_message(stamp).to_json())
    }

    /// A request whose amount is a JSON number: money would pass through floats.
    pub(crate) fn broken(&self, story: &Story, at: DateTime<Utc>) -> Outgoing {
        let letter = self.request(story, story.amount, at);
        let body = String::from_utf8(letter.body).expect("JSON is a text");
        let body = body.replace(&format!("\"amount\":\"{}\"", story.amount), "\"amount\":88.8");
        Outgoing { body: body.replace(story.id, "R98").into_bytes(), message_id: "R98".to_owned(), ..letter }
    }

    /// The paid orders behind the wallets' top-ups, as the gateways know them.
    pub(crate) fn trades(&self) -> Vec<Trade> {
        let mut trades = Vec::new();
        for customer in CUSTOMERS {
            for it in customer.top_ups {
                let Some(number) = self.trade_numbers.get(it.id) else { continue };
                trades.push(Trade {
                    channel: match it.channel {
                        Channel::Alipay => simulator::Channel::Alipay,
                        Channel::WeChat => simulator::Channel::Wechat,
                        _ => simulator::Channel::Unionpay,
                    },
                    trade_no: number.clone(),
                    out_trade_no: out_trade_no(it),
                    total_fen: fen(it.amount).minor(),
                    paid_at: Some(it.arrived.to_owned()),
                    payer_name: Some(customer.real_name.to_owned()),
                    notify_url: None,
                });
            }
        }
        trades
    }
}

/// A decision in the making.
pub(crate) struct Decided<'a> {
    pub(crate) decision: Decision,
    pub(crate) actor: &'a str,
    pub(crate) reason: &'a str,
    pub(crate) effect: Option<&'a EffectDigest>,
}

fn out_trade_no(it: &TopUp) -> String {
    format!("TOPUP{}", it.id)
}

fn bank_account(card: &Card) -> BankAccount {
    BankAccount {
        holder: text(card.holder),
        number: text(card.number),
        bank_name: text(card.bank_name),
        branch: text(card.branch),
        cnaps: text(card.cnaps),
    }
}

fn partial(it: &BankAccount) -> PartialBankAccount {
    PartialBankAccount {
        holder: Some(it.holder.clone()),
        number: Some(it.number.clone()),
        bank_name: Some(it.bank_name.clone()),
        branch: Some(it.branch.clone()),
        cnaps: Some(it.cnaps.clone()),
    }
}
