//! The decision about one request: a plan, or every reason against it.
//!
//! [`decide`] is the only judge. The intake calls it to accept, the quote calls
//! it to offer, so that what is offered is accepted and nothing else is.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use crate::allocation::{Draw, Part};
use crate::eligibility::{Exclusion, Slice};
use crate::names::same_name;
use crate::reason::{ProofFault, Reason};
use crate::{Book, Currency, Money, Policy, Route, Terms};

/// An account as the rules see it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is one fact of the account, as upstream states it")]
pub struct Account {
    /// The currency of all its money.
    pub currency: Currency,
    /// R12: its authenticated name.
    pub real_name: String,
    /// R14: that name was authenticated.
    pub real_name_verified: bool,
    /// R2: tied to a partner in advance-payment mode.
    pub advance_payment: bool,
    /// R15: contracts of some entities forbid refunds.
    pub contract_entity: String,
    /// R15: this account's contract forbids refunds.
    pub refunds_forbidden: bool,
    /// Its facts contradict each other or are incomplete.
    pub stopped: bool,
    /// R1: the terms of what can be withdrawn.
    pub terms: Terms,
    /// R15: withdrawals that are not final.
    pub open_withdrawals: i32,
}

/// From which top-ups (R9).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// From all that are eligible.
    Auto,
    /// From these alone.
    Chosen(Vec<String>),
}

/// A field of a receiving bank account (R11).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, strum::Display, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Detail {
    /// Whose it is.
    Holder,
    /// Its number.
    Number,
    /// The bank.
    BankName,
    /// The branch.
    Branch,
    /// The branch's CNAPS code.
    Cnaps,
}

/// A receiving bank account as far as the rules look at it. Its number is not
/// the rules' business.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Card {
    /// R12: in whose name it is.
    pub holder: Option<String>,
    /// R11: what a bank would still need.
    pub missing: Vec<Detail>,
}

/// The proof that the verification code was entered (R10).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// A token was checked, or none is asked for.
    Accepted,
    /// The token, or its absence, was not good enough.
    Faulty(ProofFault),
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// How much.
    pub amount: Money,
    /// R16: in which currency.
    pub currency: Currency,
    /// By which route.
    pub route: Route,
    /// From which top-ups.
    pub selection: Selection,
    /// The receiving account, where one was given.
    pub card: Option<Card>,
    /// R10.
    pub proof: Proof,
}

/// A request that may go ahead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// What each slice gives, newest first.
    pub plan: Vec<Part>,
    /// R1: the terms behind the decision.
    pub terms: Terms,
    /// R11: bank details that must come before the approval; none when complete.
    pub missing: Vec<Detail>,
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It may go ahead.
    Accept(Accepted),
    /// It is refused, for all of these reasons.
    Reject(Vec<Reason>),
    /// The book ends before the decision: add older slices and decide again.
    OlderSlices,
}

impl Account {
    /// The account after a request for `amount` was accepted.
    ///
    /// # Panics
    /// Never: a hold is less than all the money there is.
    pub fn hold(&mut self, amount: Money) {
        self.terms.held = self.terms.held.plus(amount).expect("a hold is less than all money");
        self.open_withdrawals += 1;
    }

    /// Why this account withdraws nothing at all, whatever is asked.
    ///
    /// Source, R2: "Cash balance of a customer associated with a partner by
    /// advance payment mode cannot be withdrawn."
    #[must_use]
    pub fn obstacles(&self, policy: &Policy) -> Vec<Reason> {
        let max = policy.max_open_withdrawals;
        let forbidden = self.refunds_forbidden || policy.refunds_forbidden.contains(&self.contract_entity);
        [
            (self.stopped, Reason::AccountStopped),
            (!self.real_name_verified, Reason::RealNameNotVerified),
            (self.advance_payment, Reason::PartnerAdvancePayment),
            (forbidden, Reason::RefundsForbidden),
            (self.open_withdrawals >= max, Reason::TooManyOpenWithdrawals { max }),
        ]
        .into_iter()
        .filter_map(|(stands, reason)| stands.then_some(reason))
        .collect()
    }
}

/// Decides a request on the slices of `book`, on a date in Asia/Shanghai.
///
/// A refusal names every reason, not only the first. An accepted request takes
/// its money newest slice first and holds all of it (R9).
///
/// # Panics
/// Never with amounts that a database can hold.
#[must_use]
pub fn decide(
    account: &Account,
    book: &Book,
    request: &Request,
    policy: &Policy,
    today: NaiveDate,
) -> Decision {
    let mut reasons = reasons_of_request(account, request, policy);
    let pool = Pool { account, book, request, policy, today };
    let drawn = match &request.selection {
        Selection::Auto => pool.draw_newest(&mut reasons),
        Selection::Chosen(ids) => Some(pool.draw_chosen(ids, &mut reasons)),
    };
    let Some(draw) = drawn else { return Decision::OlderSlices };
    let plan = draw.into_parts();
    let missing = pool.missing_details(&plan, &mut reasons);
    if reasons.is_empty() {
        Decision::Accept(Accepted { plan, terms: account.terms, missing })
    } else {
        Decision::Reject(reasons)
    }
}

/// What speaks against a request before any slice is looked at.
fn reasons_of_request(account: &Account, request: &Request, policy: &Policy) -> Vec<Reason> {
    let mut reasons = account.obstacles(policy);
    if let Proof::Faulty(fault) = request.proof {
        reasons.push(Reason::VerificationFailed { fault });
    }
    if request.currency != account.currency {
        reasons.push(Reason::CurrencyMismatch);
    }
    if !request.amount.is_positive() {
        reasons.push(Reason::AmountNotPositive);
    }
    if request.amount > account.terms.cap() {
        reasons.push(Reason::ExceedsWithdrawable { terms: account.terms });
    }
    reasons
}

/// The slices that a request can draw from.
#[derive(Clone, Copy)]
struct Pool<'a> {
    account: &'a Account,
    book: &'a Book,
    request: &'a Request,
    policy: &'a Policy,
    today: NaiveDate,
}

impl<'a> Pool<'a> {
    fn exclusions(self, slice: &Slice) -> Vec<Exclusion> {
        slice.exclusions(self.request.route, self.policy, self.today)
    }

    /// The name in which the card must be for this slice; none on other routes.
    fn holder(self, slice: &'a Slice) -> Option<&'a str> {
        let route = self.request.route;
        (route == Route::BankCard).then(|| slice.card_holder(&self.account.real_name)).flatten()
    }

    fn card_holder(self) -> Option<&'a str> {
        self.request.card.as_ref()?.holder.as_deref()
    }

    /// R9: newest first; ineligible newer slices are skipped. With the card's
    /// holder known, slices that need another name are ineligible too (R12).
    ///
    /// Nothing when the book ends before the amount is covered.
    fn draw_newest(self, reasons: &mut Vec<Reason>) -> Option<Draw> {
        let mut draw = Draw::of(self.request.amount);
        let mut excluded: BTreeMap<&'static str, Money> = BTreeMap::new();
        let mut other_names = Vec::new();
        let mut names = Vec::new();
        for slice in self.book.newest_first().filter(|slice| slice.remaining.is_positive()) {
            if draw.is_covered() {
                break;
            }
            let mut found = self.exclusions(slice);
            if let (Some(card), Some(needed)) = (self.card_holder(), self.holder(slice))
                && !same_name(card, needed)
            {
                if found.is_empty() {
                    note_name(&mut other_names, needed);
                }
                found.push(Exclusion::HolderDiffers { holder: needed.to_owned() });
            }
            if let Some(first) = found.first() {
                let sum = excluded.entry(first.code()).or_default();
                *sum = sum.plus(slice.remaining).expect("sums of stored amounts fit");
            } else {
                draw.take(slice);
                self.holder(slice).into_iter().for_each(|name| note_name(&mut names, name));
            }
        }
        if !draw.is_covered() && !self.book.is_complete() {
            return None;
        }
        if !draw.is_covered() {
            reasons.push(Reason::ExceedsRoute { eligible: draw.drawn(), excluded });
            if !other_names.is_empty() {
                reasons.push(Reason::HolderMismatch { holders: other_names });
            }
        }
        if names.len() > 1 {
            reasons.push(Reason::SeveralHolders { holders: names });
        }
        Some(draw)
    }

    /// R9: newest first inside the selection, which is never topped up from
    /// other slices. Every selected one that cannot leave is named with every
    /// reason.
    fn draw_chosen(self, ids: &[String], reasons: &mut Vec<Reason>) -> Draw {
        let mut eligible: Vec<&Slice> = Vec::new();
        let mut names = Vec::new();
        for (place, id) in ids.iter().enumerate() {
            let Some(slice) = self.book.find(id) else {
                reasons.push(Reason::TransactionUnknown { id: id.clone(), place });
                continue;
            };
            let found = self.exclusions(slice);
            if found.is_empty() && !eligible.iter().any(|it| it.id == slice.id) {
                eligible.push(slice);
                self.holder(slice).into_iter().for_each(|name| note_name(&mut names, name));
            }
            reasons.extend(found.into_iter().map(|because| Reason::TransactionIneligible {
                id: id.clone(),
                place,
                because,
            }));
        }
        eligible.sort_by_key(|slice| std::cmp::Reverse(slice.age()));
        let mut draw = Draw::of(self.request.amount);
        for slice in eligible {
            draw.take(slice);
        }
        if !draw.is_covered() {
            reasons.push(Reason::SelectionTooSmall { eligible: draw.drawn() });
        }
        match (self.card_holder(), names.as_slice()) {
            (_, [_, _, ..]) => reasons.push(Reason::SeveralHolders { holders: names }),
            (Some(card), [name]) if !same_name(card, name) => {
                reasons.push(Reason::HolderMismatch { holders: names });
            }
            _ => {}
        }
        draw
    }

    /// R11: what a bank would still need before the money can leave.
    ///
    /// Source: "If information of the bank account that receives the money is
    /// not complete, manually enter the information."
    fn missing_details(self, plan: &[Part], reasons: &mut Vec<Reason>) -> Vec<Detail> {
        const ALL: [Detail; 5] =
            [Detail::Holder, Detail::Number, Detail::BankName, Detail::Branch, Detail::Cnaps];
        let unknown_source = |part: &Part| {
            self.book.find(&part.slice).is_some_and(|slice| {
                slice.channel == crate::Channel::BankTransfer && !slice.source_account_known
            })
        };
        match (self.request.route, &self.request.card) {
            (Route::BankCard, Some(card)) => card.missing.clone(),
            (Route::BankCard, None) => ALL.to_vec(),
            // R8: to the source, and never to another account by choice.
            (Route::Source, Some(_)) => {
                reasons.push(Reason::PayeeNotChosen);
                Vec::new()
            }
            (Route::Source, None) if plan.iter().any(unknown_source) => ALL.to_vec(),
            (Route::Source, None) => Vec::new(),
        }
    }
}

/// Notes a name unless the same one is noted already.
fn note_name(names: &mut Vec<String>, name: &str) {
    if !names.iter().any(|it| same_name(it, name)) {
        names.push(name.to_owned());
    }
}
