//! What a gateway said, turned into moves of a leg.
//!
//! Payments and queries meet here: both end in [`Cases::move_leg`]. The rule
//! that matters most: only a certain answer ends a leg. A refusal of a number
//! that was in doubt before counts only when a query said it.

mod words;

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{LegEvent, LegState, Rail, RetryBudget, RouteClosed};
use gateways::{Finding, Outcome, Refusal, Resend, Traits};
use store::attempts;
use store::late_effects::{Claim, ToldBy};
use uuid::Uuid;

pub(crate) use self::words::Words;
use crate::cases::Cases;
use crate::failpoint::failpoint;
use crate::holds::RETRIES_SPENT;
use crate::late::{self, late_effect};
use crate::patience::retry_delay;
use crate::payout::hold;
use crate::{Till, circuit, reroute};

/// The names of the workers in traces.
const PAYOUT: &str = "payout";
const SETTLE: &str = "settle";

/// An answer to one call.
#[derive(Debug)]
pub(crate) struct Told<Answer> {
    /// The leg that was asked about.
    pub(crate) leg_id: Uuid,
    /// The attempt row of the call.
    pub(crate) attempt_id: Uuid,
    /// What the gateway said.
    pub(crate) answer: Answer,
}

/// Writes what payments brought, in one transaction.
///
/// # Errors
/// When the database is away or refuses; nothing was written then.
pub(crate) async fn record_payments(
    till: &Till,
    rail: Rail,
    told: &[Told<Outcome>],
    at: DateTime<Utc>,
) -> Result<(), store::Error> {
    let (traits, control) = (till.gateways.traits(rail), till.controls.of(rail));
    let mut tx = till.database.begin().await?;
    let ids: Vec<Uuid> = told.iter().map(|it| it.leg_id).collect();
    let mut cases = Cases::lock_of_legs(&mut tx, &ids, at).await?;
    let mut kept = Vec::with_capacity(told.len());
    for it in told {
        let words = Words::of_payment(&it.answer);
        kept.push(words.kept(it.attempt_id));
        // Settle, a notification or a person may have been faster: the table decides.
        if cases.leg(it.leg_id).is_some_and(|leg| leg.state == LegState::Dispatching) {
            apply_payment(&mut cases, it.leg_id, &it.answer, &words, (&traits, &control.retry));
        }
    }
    attempts::finish(&mut tx, &kept, at).await?;
    reroute::take_up(&mut tx, &mut cases, &till.rules, PAYOUT).await?;
    cases.write(&mut tx, PAYOUT).await?;
    circuit::hear(&mut tx, rail, control, told, at).await?;
    failpoint!("payout.outcome-written");
    tx.commit().await?;
    failpoint!("payout.outcome-committed");
    Ok(())
}

/// Writes what queries found, in one transaction.
///
/// # Errors
/// When the database is away or refuses; nothing was written then.
pub(crate) async fn record_findings(
    till: &Till,
    told: &[Told<Finding>],
    at: DateTime<Utc>,
) -> Result<(), store::Error> {
    if told.is_empty() {
        return Ok(());
    }
    let mut tx = till.database.begin().await?;
    let ids: Vec<Uuid> = told.iter().map(|it| it.leg_id).collect();
    let mut cases = Cases::lock_of_legs(&mut tx, &ids, at).await?;
    let mut kept = Vec::with_capacity(told.len());
    for it in told {
        let words = Words::of_finding(&it.answer);
        kept.push(words.kept(it.attempt_id));
        let Some(leg) = cases.leg(it.leg_id) else { continue };
        let (traits, sends) = (till.gateways.traits(leg.rail), till.controls.of(leg.rail).retry.sends);
        match leg.state {
            LegState::Unknown | LegState::Submitted => {
                apply_finding(&mut cases, it.leg_id, &it.answer, &words, (&traits, sends));
            }
            LegState::Paid | LegState::Settled => {
                apply_second_look(&mut cases, it.leg_id, &it.answer, &words, &traits);
            }
            LegState::ManualReview => apply_to_review(&mut cases, it.leg_id, &it.answer, &words),
            // The leg went on while the query was under way.
            _ => apply_late(&mut cases, it.leg_id, &it.answer, &words),
        }
    }
    attempts::finish(&mut tx, &kept, at).await?;
    reroute::take_up(&mut tx, &mut cases, &till.rules, SETTLE).await?;
    cases.write(&mut tx, SETTLE).await?;
    failpoint!("settle.finding-written");
    tx.commit().await?;
    failpoint!("settle.finding-committed");
    Ok(())
}

fn apply_payment(
    cases: &mut Cases,
    id: Uuid,
    outcome: &Outcome,
    words: &Words,
    (traits, retry): (&Traits, &RetryBudget),
) {
    let at = cases.at();
    let leg = cases.leg_mut(id).expect("the leg is in hand");
    leg.lease_until = None;
    leg.check_at = None;
    words.write_on(leg);
    let doubted = leg.doubted_at.is_some();
    let attempts = leg.attempts;
    match outcome {
        Outcome::Succeeded { .. } => go(cases, id, LegEvent::Succeed, PAYOUT, words),
        Outcome::Pending { .. } => {
            go(cases, id, LegEvent::Accept, PAYOUT, words);
            ask_again(cases, id, traits);
        }
        Outcome::RetryLater { .. } | Outcome::Configuration { .. } if !doubted => {
            go(cases, id, LegEvent::Refuse, PAYOUT, words);
            go(cases, id, LegEvent::Retry, PAYOUT, words);
            // What was not sent is due as before, and has spent nothing.
            let unsent = words.code.as_deref().is_some_and(circuit::is_unsent);
            let leg = cases.leg_mut(id).expect("the leg is in hand");
            leg.dispatch_at = Some(if unsent { at } else { at + retry_delay(attempts, retry) });
            leg.nudged_at = None;
            if !unsent && spent(attempts, retry.sends) {
                hold(cases, id, RETRIES_SPENT, words.note().as_deref());
            }
        }
        Outcome::Failed { .. } if !doubted => fail(cases, id, PAYOUT, words),
        Outcome::Reroute { .. } if !doubted => leave_route(cases, id, PAYOUT, words),
        // After a doubt about this number a refusal may speak of the repeat alone.
        Outcome::Unknown { .. }
        | Outcome::RetryLater { .. }
        | Outcome::Configuration { .. }
        | Outcome::Failed { .. }
        | Outcome::Reroute { .. } => {
            go(cases, id, LegEvent::Doubt, PAYOUT, words);
            ask_again(cases, id, traits);
        }
    }
}

fn apply_finding(
    cases: &mut Cases,
    id: Uuid,
    finding: &Finding,
    words: &Words,
    (traits, sends): (&Traits, u32),
) {
    let at = cases.at();
    let leg = cases.leg_mut(id).expect("the leg is in hand");
    words.write_on(leg);
    let in_doubt = leg.state == LegState::Unknown;
    let doubted_for = leg.doubted_at.map_or(TimeDelta::zero(), |since| at - since);
    let age = at - leg.minted_at.max(leg.dispatch_at.unwrap_or(leg.minted_at));
    match finding {
        Finding::Paid { .. } => {
            leg.check_at = None;
            go(cases, id, LegEvent::Succeed, SETTLE, words);
        }
        Finding::Refused { refusal, .. } => {
            leg.check_at = None;
            match refusal {
                Refusal::Failed => fail(cases, id, SETTLE, words),
                Refusal::Reroute => leave_route(cases, id, SETTLE, words),
            }
        }
        Finding::Returned { .. } => {
            leg.check_at = None;
            go(cases, id, LegEvent::Succeed, SETTLE, words);
            take_back(cases, id, SETTLE, words);
        }
        Finding::Spent { .. } => {
            leg.check_at = None;
            go(cases, id, LegEvent::GiveUp, SETTLE, words);
        }
        Finding::Pending { .. } => {
            if in_doubt {
                go(cases, id, LegEvent::Accept, SETTLE, words);
            }
            ask_again(cases, id, traits);
        }
        Finding::NotFound { .. } if in_doubt && is_absent(traits, doubted_for, age) => {
            leg.check_at = None;
            if traits.resend == Resend::Safe && !spent(leg.attempts, sends) {
                leg.dispatch_at = Some(at);
                leg.nudged_at = None;
                go(cases, id, LegEvent::Absent, SETTLE, words);
            } else {
                go(cases, id, LegEvent::GiveUp, SETTLE, words);
            }
        }
        Finding::NotFound { .. } | Finding::Unknown { .. } => ask_again(cases, id, traits),
    }
}

/// Every send of a number's budget was made.
fn spent(attempts: i32, sends: u32) -> bool {
    u32::try_from(attempts).is_ok_and(|it| it >= sends)
}

/// The guard of the dispatch (R6c, R18) refuses a scheduled leg: it ends as one
/// does that its channel refuses for the same reason, but nothing was sent.
///
/// # Panics
/// When the leg is not in hand and scheduled, which callers have checked.
pub(crate) fn close_route(cases: &mut Cases, id: Uuid, closed: &RouteClosed) {
    let words = Words::new("reroute", closed.code(), &closed.detail());
    words.write_on(cases.leg_mut(id).expect("the leg is in hand"));
    leave_route(cases, id, PAYOUT, &words);
}

/// A leg whose way is closed for good, to its source or to its payee: nothing
/// was paid and nothing will be under its number. Its slice takes another way (R6c).
fn leave_route(cases: &mut Cases, id: Uuid, by: &str, words: &Words) {
    go(cases, id, LegEvent::Refuse, by, words);
    go(cases, id, LegEvent::Reroute, by, words);
}

/// A leg that was definitely refused: its money goes back to its top-up.
fn fail(cases: &mut Cases, id: Uuid, by: &str, words: &Words) {
    go(cases, id, LegEvent::Refuse, by, words);
    go(cases, id, LegEvent::Release, by, words);
}

/// "Not found" may be believed: the quiet period is over, and the gateway still
/// remembers numbers as old as this one.
fn is_absent(traits: &Traits, doubted_for: TimeDelta, age: TimeDelta) -> bool {
    let longer = |than: Duration, it: TimeDelta| it.to_std().is_ok_and(|it| it >= than);
    longer(traits.quiet, doubted_for) && !longer(traits.horizon, age)
}

/// A paid leg was asked about because its gateway hinted that the money came
/// back. Only the gateway's own word that it did takes the payment back.
fn apply_second_look(cases: &mut Cases, id: Uuid, finding: &Finding, words: &Words, traits: &Traits) {
    let at = cases.at();
    let leg = cases.leg_mut(id).expect("the leg is in hand");
    leg.check_at = None;
    match finding {
        // A payee who cannot be reached any more is told like a refusal.
        Finding::Returned { .. } | Finding::Refused { refusal: Refusal::Reroute, .. } => {
            words.write_on(leg);
            take_back(cases, id, SETTLE, words);
        }
        Finding::Unknown { .. } => {
            let asked = u32::try_from(leg.asked).unwrap_or(u32::MAX);
            leg.check_at = traits.schedule.wait_after(asked).map(|wait| at + wait);
        }
        Finding::Paid { .. }
        | Finding::Pending { .. }
        | Finding::NotFound { .. }
        | Finding::Spent { .. }
        | Finding::Refused { .. } => {}
    }
}

/// A leg in manual review was asked about once more, because its gateway hinted
/// at something. What is certain about money that left is believed; that none
/// left only two people with evidence can say.
fn apply_to_review(cases: &mut Cases, id: Uuid, finding: &Finding, words: &Words) {
    let leg = cases.leg_mut(id).expect("the leg is in hand");
    leg.check_at = None;
    match finding {
        Finding::Paid { .. } => {
            words.write_on(leg);
            go(cases, id, LegEvent::Succeed, SETTLE, words);
        }
        Finding::Returned { .. } => {
            words.write_on(leg);
            go(cases, id, LegEvent::Succeed, SETTLE, words);
            take_back(cases, id, SETTLE, words);
        }
        _ => {}
    }
}

/// An answer about a leg that has gone on since it was asked about: only money
/// that moved after all is of interest.
fn apply_late(cases: &mut Cases, id: Uuid, finding: &Finding, words: &Words) {
    let claim = match finding {
        Finding::Paid { .. } => Claim::Paid,
        Finding::Returned { .. } => Claim::Returned,
        _ => return,
    };
    if cases.leg(id).is_some_and(late::speaks_of_the_past) {
        late_effect(
            cases,
            id,
            claim,
            (ToldBy::Query, words.reference.as_deref().unwrap_or_default()),
            SETTLE,
        );
    }
}

/// A paid leg whose money came back: its slice takes another way.
pub(crate) fn take_back(cases: &mut Cases, id: Uuid, by: &str, words: &Words) {
    go(cases, id, LegEvent::Return, by, words);
    go(cases, id, LegEvent::Reroute, by, words);
}

/// A gateway's own signed statement that a payment came back; `notice` names it.
pub(crate) fn returned_by_notice(cases: &mut Cases, id: Uuid, notice: &str) {
    let words = Words::new("returned", "notice", notice);
    let leg = cases.leg_mut(id).expect("the leg is in hand");
    leg.check_at = None;
    words.write_on(leg);
    if !matches!(leg.state, LegState::Paid | LegState::Settled) {
        go(cases, id, LegEvent::Succeed, SETTLE, &words);
    }
    take_back(cases, id, SETTLE, &words);
}

/// Sets when the gateway is asked next, or hands the leg to people when every
/// query of its budget is spent.
fn ask_again(cases: &mut Cases, id: Uuid, traits: &Traits) {
    let at = cases.at();
    let leg = cases.leg_mut(id).expect("the leg is in hand");
    leg.check_at =
        traits.schedule.wait_after(u32::try_from(leg.asked).unwrap_or(u32::MAX)).map(|wait| at + wait);
    if leg.check_at.is_none() {
        let spent = Words { class: "spent", ..Words::default() };
        go(cases, id, LegEvent::GiveUp, SETTLE, &spent);
    }
}

/// Moves a leg whose state the caller has just looked at.
pub(crate) fn go(cases: &mut Cases, id: Uuid, event: LegEvent, by: &str, words: &Words) {
    cases
        .move_leg(id, event, by, words.note().as_deref())
        .expect("the state allows the event: it was looked at under its lock");
}
