//! What a channel's statement says about payments, applied to their legs.
//!
//! A statement, a notice, a query and people meet in one transition function. The
//! statement is the channel's own book, read after the day is over: a payment that
//! it lists has left, a return that it lists has come back. That it does not list
//! a payment proves nothing by itself, because the line can stand in the file of
//! the next day: then the channel is asked.

use chrono::{DateTime, Utc};
use domain::{LegEvent, LegState, Money, Policy, Rail};
use store::late_effects::{self, ToldBy};
use store::legs::Leg;
use store::{Tx, notices};

use crate::cases::Cases;
use crate::late::{Late, late_effect, speaks_of_the_past};
use crate::outcome::{Words, go, take_back};
use crate::reroute;

/// The name under which these moves are traced.
const WORKER: &str = "reconciliation";

/// The code of what a statement said, where a channel's answer has one.
pub(crate) const BY_STATEMENT: &str = "statement";

/// What a statement says of a payout number of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::Display, strum::EnumString, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Claim {
    /// The money left.
    Paid,
    /// The money left and came back.
    Returned,
    /// The day is complete, and no such payment was carried out.
    NotExecuted,
}

/// A line of a statement, or the lack of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Whose statement it is.
    pub rail: Rail,
    /// The payout number that it speaks of.
    pub payout_no: String,
    /// How much the statement says.
    pub amount: Money,
    /// What it says.
    pub claim: Claim,
    /// The channel's own number of the payment, where the line has it.
    pub reference: Option<String>,
    /// Where it stands, for people: such as `alipay statement of 2026-03-10`.
    pub place: String,
}

/// What was made of a line. The text form is a stable word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::Display, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Effect {
    /// The leg is settled now; one that was in doubt or in review was paid by it.
    Settled,
    /// The payment was taken back, and its slice takes another way.
    Returned,
    /// The books say the same already.
    Confirmed,
    /// The channel is asked what became of it; its answer decides.
    Asked,
    /// A call is under way or comes: look again when it has ended.
    UnderWay,
    /// Only two people with evidence can end it; this line is a piece of evidence.
    ForPeople,
    /// The number is none of ours, or not one of this channel.
    NotOurs,
    /// The line names another amount. Nothing moved.
    AmountDiffers {
        /// The leg's.
        ours: Money,
    },
    /// The books say something else, and nothing moved: people must look.
    Contradicts {
        /// The leg's state.
        state: LegState,
    },
}

/// Applies lines in one transaction, in their order, and answers with one effect
/// for each. The caller commits, and writes nothing for legs itself.
///
/// # Errors
/// When the database is away, or [`store::Error::Stale`] when a leg moved
/// meanwhile: roll back and apply again.
///
/// # Panics
/// Never: a payout number's leg is locked before it is looked at.
pub async fn apply(
    tx: &mut Tx,
    lines: &[Line],
    policy: &Policy,
    at: DateTime<Utc>,
) -> Result<Vec<Effect>, store::Error> {
    let numbers: Vec<&str> = lines.iter().map(|it| it.payout_no.as_str()).collect();
    let known = notices::addressees(tx, &numbers).await?;
    let ids: Vec<_> = known.iter().map(|it| it.leg_id).collect();
    let mut cases = Cases::lock_of_legs(tx, &ids, at).await?;
    let mut effects = Vec::with_capacity(lines.len());
    for line in lines {
        let ours = known.iter().find(|it| it.payout_no == line.payout_no && it.rail == line.rail);
        effects.push(match ours {
            None => Effect::NotOurs,
            Some(it) if it.amount != line.amount => Effect::AmountDiffers { ours: it.amount },
            Some(it) => {
                let leg = cases.leg(it.leg_id).expect("the leg was locked").clone();
                effect(&mut cases, &leg, line)
            }
        });
    }
    reroute::take_up(tx, &mut cases, policy, WORKER).await?;
    cases.write(tx, WORKER).await?;
    Ok(effects)
}

fn effect(cases: &mut Cases, leg: &Leg, line: &Line) -> Effect {
    // A number that was in doubt goes out again; its answer will name this payment.
    let comes_again = leg.state == LegState::Scheduled && leg.doubted_at.is_some();
    if leg.state == LegState::Dispatching || (comes_again && line.claim != Claim::NotExecuted) {
        return Effect::UnderWay;
    }
    match line.claim {
        Claim::Paid => paid(cases, leg, line),
        Claim::Returned => returned(cases, leg, line),
        Claim::NotExecuted => not_executed(cases, leg),
    }
}

fn paid(cases: &mut Cases, leg: &Leg, line: &Line) -> Effect {
    match leg.state {
        LegState::Paid => settle(cases, leg, line),
        LegState::Unknown | LegState::Submitted | LegState::ManualReview => {
            end_doubt(cases, leg, line);
            settle(cases, leg, line)
        }
        _ if leg.paid_at.is_some() => Effect::Confirmed,
        _ => contradicted(cases, leg, line, late_effects::Claim::Paid),
    }
}

fn returned(cases: &mut Cases, leg: &Leg, line: &Line) -> Effect {
    match leg.state {
        LegState::Paid | LegState::Settled => {}
        LegState::Unknown | LegState::Submitted | LegState::ManualReview => end_doubt(cases, leg, line),
        _ if leg.paid_at.is_some() => return Effect::Confirmed,
        _ => return contradicted(cases, leg, line, late_effects::Claim::Returned),
    }
    let words = words("returned", line);
    let changed = cases.leg_mut(leg.id).expect("the leg is in hand");
    changed.check_at = None;
    words.write_on(changed);
    take_back(cases, leg.id, WORKER, &words);
    Effect::Returned
}

/// No line is no proof. What is on its way or just paid is asked about.
fn not_executed(cases: &mut Cases, leg: &Leg) -> Effect {
    match leg.state {
        LegState::Unknown | LegState::Submitted | LegState::Paid => {
            let at = cases.at();
            cases.leg_mut(leg.id).expect("the leg is in hand").check_at = Some(at);
            Effect::Asked
        }
        LegState::ManualReview => Effect::ForPeople,
        LegState::Settled => Effect::Contradicts { state: leg.state },
        _ => Effect::Confirmed,
    }
}

fn end_doubt(cases: &mut Cases, leg: &Leg, line: &Line) {
    cases.leg_mut(leg.id).expect("the leg is in hand").check_at = None;
    go(cases, leg.id, LegEvent::Succeed, WORKER, &words("paid", line));
}

fn settle(cases: &mut Cases, leg: &Leg, line: &Line) -> Effect {
    let words = words("settled", line);
    let changed = cases.leg_mut(leg.id).expect("the leg is in hand");
    if changed.reference.is_none() {
        changed.reference.clone_from(&words.reference);
    }
    go(cases, leg.id, LegEvent::Settle, WORKER, &words);
    Effect::Settled
}

/// A line about a leg that ended otherwise, or was never sent.
fn contradicted(cases: &mut Cases, leg: &Leg, line: &Line, claim: late_effects::Claim) -> Effect {
    if speaks_of_the_past(leg) {
        let told = (ToldBy::Statement, line.place.as_str());
        if late_effect(cases, leg.id, claim, told, WORKER) == Late::Followed {
            return settle(cases, leg, line);
        }
    }
    Effect::Contradicts { state: leg.state }
}

fn words(class: &'static str, line: &Line) -> Words {
    Words {
        class,
        code: Some(BY_STATEMENT.to_owned()),
        detail: Some(line.place.clone()),
        reference: line.reference.clone(),
    }
}
