//! What decisions become: rows, movements of money, traces and messages.
//!
//! Everything of a batch is built in memory and written once.

use std::collections::{BTreeMap, HashMap};

use broker::contract::{Attribute, PartialBankAccount, Problem, TraceParent};
use broker::topology::APPROVALS;
use chrono::{DateTime, Utc};
use domain::{
    Accepted, Currency, LegState, Part, Reason, Route, Terms, WithdrawalEvent as Event,
    WithdrawalState as State,
};
use serde_json::{Value, json};
use store::bank_accounts::{self, BankAccount, Version};
use store::journal::{self, Bucket, Movement};
use store::legs::{self, Leg};
use store::outbox::{self, Outgoing};
use store::trace::{self, Transition};
use store::withdrawals::{self, Withdrawal};
use store::{Tx, accounts};
use uuid::Uuid;

use super::ask::Ask;
use super::purse::{Decided, Purses};
use super::{Rules, WORKER};
use crate::effect::effect_digest;
use crate::events::withdrawal_event;
use crate::nudge::Nudges;

/// Everything that a batch writes.
#[derive(Debug, Default)]
struct Sheet {
    withdrawals: Vec<Withdrawal>,
    requests: Vec<Value>,
    legs: Vec<Vec<Leg>>,
    cards: Vec<BankAccount>,
    movements: Vec<Movement>,
    traces: Vec<Transition>,
    open: BTreeMap<String, i32>,
}

/// Writes a batch of decisions, and answers with the withdrawals they became.
pub(super) async fn write(
    tx: &mut Tx,
    decided: Vec<Decided<'_>>,
    purses: &Purses,
    (rules, at): (&Rules, DateTime<Utc>),
) -> Result<Vec<Withdrawal>, store::Error> {
    let mut sheet = Sheet::default();
    for it in decided {
        match it.outcome {
            Ok(accepted) => sheet.accept(it.ask, &accepted, purses, (rules, at)),
            Err(reasons) => sheet.reject(it.ask, &reasons, at),
        }
    }
    sheet.name_payees(tx).await?;
    sheet.write(tx, (rules, at)).await
}

impl Sheet {
    fn reject(&mut self, ask: &Ask<'_>, reasons: &[Reason], at: DateTime<Utc>) {
        let currency = ask.request.currency;
        let problems: Vec<Problem> = reasons.iter().map(|reason| problem(reason, currency)).collect();
        let terms = reasons.iter().find_map(|reason| match reason {
            Reason::ExceedsWithdrawable { terms } => Some(terms_text(terms, currency)),
            _ => None,
        });
        let row = withdrawal(ask, Event::Reject, at);
        let reasons = serde_json::to_value(problems).expect("problems are texts and numbers");
        self.put(
            ask,
            Withdrawal { reasons, terms: terms.unwrap_or_else(|| json!({})), ..row },
            Vec::new(),
            Event::Reject,
        );
    }

    fn accept(
        &mut self,
        ask: &Ask<'_>,
        accepted: &Accepted,
        purses: &Purses,
        (rules, at): (&Rules, DateTime<Utc>),
    ) {
        let given = ask.message.data.bank_account.as_ref();
        let card = given.map(|it| bank_account(ask.account_id(), it, first_version(ask)));
        let legs: Vec<Leg> = accepted
            .plan
            .iter()
            .zip(0..)
            .map(|(part, position)| leg(ask, (part, position), purses, (card.as_ref(), at)))
            .collect();
        let (event, wait) = if accepted.missing.is_empty() {
            (Event::Accept, rules.policy.approval_wait)
        } else {
            (Event::AcceptIncomplete, rules.policy.details_wait)
        };
        let mut row = Withdrawal {
            bank_account_id: card.as_ref().map(|it| it.id),
            terms: terms_text(&accepted.terms, ask.request.currency),
            expires_at: Some(at + wait),
            ..withdrawal(ask, event, at)
        };
        // Until the details are there, nobody knows the effect, and nobody can approve it.
        row.effect_digest = accepted.missing.is_empty().then(|| effect_digest(&row, &legs));
        *self.open.entry(row.account_id.clone()).or_default() += 1;
        for leg in &legs {
            self.movements.push(Movement {
                account_id: leg.account_id.clone(),
                top_up_id: leg.top_up_id,
                from: Bucket::Remaining,
                to: Bucket::Held,
                amount: leg.amount,
                cause: "hold",
                cause_id: leg.id.to_string(),
            });
        }
        self.cards.extend(card);
        self.put(ask, row, legs, event);
    }

    fn put(&mut self, ask: &Ask<'_>, row: Withdrawal, legs: Vec<Leg>, event: Event) {
        let of_legs = legs.iter().map(|leg| (Some(leg.id), "new", leg.state.into(), "plan"));
        let moves = [(None, "new", row.state.into(), event.into())];
        for (leg_id, from, to, event) in moves.into_iter().chain(of_legs) {
            self.traces.push(Transition {
                withdrawal_id: row.id,
                leg_id,
                sequence: 1,
                from,
                to,
                event,
                actor: WORKER.to_owned(),
                note: None,
            });
        }
        self.requests.push(ask.form.clone());
        self.withdrawals.push(row);
        self.legs.push(legs);
    }

    /// Fills in the ends of the numbers to which bank transfers go back (R8).
    async fn name_payees(&mut self, tx: &mut Tx) -> Result<(), store::Error> {
        let nameless = |leg: &&mut Leg| leg.bank_account_id.is_some() && leg.payee_last_four.is_none();
        let known: Vec<Uuid> = self.cards.iter().map(|it| it.id).collect();
        let mut legs: Vec<&mut Leg> = self.legs.iter_mut().flatten().filter(nameless).collect();
        legs.retain(|leg| leg.bank_account_id.is_some_and(|id| !known.contains(&id)));
        let ids: Vec<Uuid> = legs.iter().filter_map(|leg| leg.bank_account_id).collect();
        let masked = bank_accounts::masked(tx, &ids).await?;
        let ends: HashMap<Uuid, String> = masked.into_iter().map(|it| (it.id, it.last_four)).collect();
        for leg in legs {
            leg.payee_last_four = leg.bank_account_id.and_then(|id| ends.get(&id).cloned());
        }
        Ok(())
    }

    async fn write(
        self,
        tx: &mut Tx,
        (rules, at): (&Rules, DateTime<Utc>),
    ) -> Result<Vec<Withdrawal>, store::Error> {
        let messages = self.messages(at);
        let (accounts, added): (Vec<String>, Vec<i32>) = self.open.into_iter().unzip();
        let legs: Vec<Leg> = self.legs.into_iter().flatten().collect();
        withdrawals::insert(tx, &self.withdrawals, &self.requests, at).await?;
        bank_accounts::insert(tx, &rules.vault, &self.cards, at).await?;
        legs::insert(tx, &legs, at).await?;
        journal::apply(tx, &self.movements, at).await?;
        accounts::count_open(tx, &accounts, &added).await?;
        trace::put(tx, &self.traces, at).await?;
        outbox::put(tx, &messages, at).await?;
        Ok(self.withdrawals)
    }

    /// One event for each decision, and nudges about those that wait for an approval.
    fn messages(&self, at: DateTime<Utc>) -> Vec<Outgoing> {
        let (mut messages, mut nudges) = (Vec::with_capacity(self.withdrawals.len()), Nudges::default());
        for (row, legs) in self.withdrawals.iter().zip(&self.legs) {
            messages.push(withdrawal_event(row, legs, State::Received, at));
            if row.state == State::PendingApproval {
                nudges.add(APPROVALS, row.id, row.traceparent.as_deref());
            }
        }
        messages.extend(nudges.messages());
        messages
    }
}

fn withdrawal(ask: &Ask<'_>, event: Event, at: DateTime<Utc>) -> Withdrawal {
    let data = &ask.message.data;
    let own = ask.message.traceparent.as_ref().map(Attribute::as_str);
    Withdrawal {
        id: ask.id,
        source: ask.message.source.as_str().to_owned(),
        request_id: ask.message.id.as_str().to_owned(),
        account_id: ask.account_id().to_owned(),
        digest: ask.digest.clone(),
        amount: ask.request.amount,
        currency: ask.request.currency,
        route: ask.request.route,
        requester: data.requester.as_str().to_owned(),
        bank_account_id: None,
        state: State::Received.on(event).expect("a received request can be accepted and refused"),
        held_from: None,
        held_because: None,
        sequence: 1,
        reasons: json!([]),
        terms: json!({}),
        effect_digest: None,
        traceparent: TraceParent::first_of([own]).map(|it| it.to_string()),
        requested_at: data.requested_at,
        received_at: at,
        approved_at: None,
        deadline_at: None,
        deadline_provisional: false,
        expires_at: None,
    }
}

fn leg(
    ask: &Ask<'_>,
    (part, position): (&Part, i32),
    purses: &Purses,
    (card, at): (Option<&BankAccount>, DateTime<Utc>),
) -> Leg {
    let top_up = purses.top_up(ask.account_id(), &part.slice).expect("a plan is made of slices in hand");
    let id = Uuid::now_v7();
    let to_card = ask.request.route == Route::BankCard;
    let number = ask.message.data.bank_account.as_ref().and_then(|it| it.number.as_ref());
    Leg {
        id,
        withdrawal_id: ask.id,
        account_id: ask.account_id().to_owned(),
        top_up_id: top_up.id,
        top_up_upstream_id: top_up.upstream_id.clone(),
        position,
        generation: 1,
        predecessor_id: None,
        rail: top_up.channel.rail(ask.request.route),
        bank_account_id: if to_card { card.map(|it| it.id) } else { top_up.bank_account_id },
        payee_last_four: number.filter(|_| to_card).map(|it| it.last_four().to_owned()),
        amount: part.amount,
        payout_no: payout_no(id),
        minted_at: at,
        state: LegState::Planned,
        sequence: 1,
        dispatch_at: None,
        execute_on: None,
        nudged_at: None,
        deadline_at: None,
        deadline_provisional: false,
        lease_until: None,
        attempts: 0,
        queries: 0,
        asked: 0,
        check_at: None,
        doubted_at: None,
        reference: None,
        code: None,
        detail: None,
        paid_at: None,
    }
}

/// The payout number of a leg: its id in 32 digits and capital letters.
///
/// Every gateway takes that alphabet and length; all numbers have the same
/// length, so none is the beginning of another; and they sort by time.
#[must_use]
pub fn payout_no(leg_id: Uuid) -> String {
    format!("{:X}", leg_id.simple())
}

/// R11: the details of the request are the first version.
fn first_version(ask: &Ask<'_>) -> Version {
    Version { withdrawal_id: ask.id, number: 1, given_by: ask.message.data.requester.as_str().to_owned() }
}

/// The receiving account as it was given. A field that is missing is empty (R11).
pub(crate) fn bank_account(account_id: &str, given: &PartialBankAccount, version: Version) -> BankAccount {
    fn text<T>(field: Option<&T>, read: fn(&T) -> &str) -> String {
        field.map(read).unwrap_or_default().to_owned()
    }
    use broker::contract::{AccountNumber, Cnaps, Name};
    BankAccount {
        id: Uuid::now_v7(),
        account_id: account_id.to_owned(),
        holder: text(given.holder.as_ref(), Name::as_str),
        number: text(given.number.as_ref(), AccountNumber::as_str).into(),
        bank_name: text(given.bank_name.as_ref(), Name::as_str),
        branch: text(given.branch.as_ref(), Name::as_str),
        cnaps: text(given.cnaps.as_ref(), Cnaps::as_str),
        version: Some(version),
    }
}

/// A reason as a sender reads it.
#[must_use]
pub fn problem(reason: &Reason, currency: Currency) -> Problem {
    let problem = Problem::rejection(reason.code(), reason.detail(currency)).by_rule(reason.rule());
    match reason.pointer() {
        Some(pointer) => problem.at(format!("/data{pointer}")),
        None => problem,
    }
}

/// R1: every term, in wire amounts.
fn terms_text(terms: &Terms, currency: Currency) -> Value {
    let text = |amount: domain::Money| amount.to_text(currency);
    json!({
        "cash": text(terms.cash),
        "outstanding_invoice": text(terms.outstanding_invoice),
        "unbilled": text(terms.unbilled),
        "held": text(terms.held),
        "cap": text(terms.cap()),
    })
}
