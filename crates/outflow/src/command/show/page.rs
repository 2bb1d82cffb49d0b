//! A withdrawal as a page of tables for people.

use std::fmt::Write;

use broker::contract::Problem;
use store::demands::Needed;
use store::legs::Leg;

use super::Whole;
use crate::output::{self, amount, moment, moment_or_nothing};

/// The page.
pub(super) fn of(whole: &Whole) -> String {
    let mut page = String::new();
    heading(&mut page, whole);
    legs(&mut page, whole);
    details(&mut page, whole);
    moves(&mut page, whole);
    decisions(&mut page, whole);
    resolutions(&mut page, whole);
    late_effects(&mut page, whole);
    calls(&mut page, whole);
    notices(&mut page, whole);
    transfers(&mut page, whole);
    page
}

/// Adds a line; a string takes all text.
macro_rules! line {
    ($page:expr, $($text:tt)*) => { writeln!($page, $($text)*).expect("a string takes all text") };
}

fn heading(page: &mut String, whole: &Whole) {
    let it = &whole.withdrawal;
    line!(page, "Withdrawal {}", it.id);
    line!(
        page,
        "  {} of {} by route {}: {}",
        amount(it.amount, it.currency),
        it.account_id,
        it.route,
        it.state
    );
    line!(
        page,
        "  asked by {} at {} as {} of {}",
        it.requester,
        moment(it.requested_at),
        it.request_id,
        it.source
    );
    if let Some(at) = it.approved_at {
        line!(page, "  approved at {}", moment(at));
    }
    if let Some(at) = it.deadline_at {
        let doubt = if it.deadline_provisional { " (provisional)" } else { "" };
        line!(page, "  expected by {}{doubt}", moment(at));
    }
    if let Some(why) = &it.held_because {
        line!(page, "  on hold: {why}");
    }
    if let Some(digest) = &it.effect_digest {
        line!(page, "  effect {}", hex::encode(digest));
    }
    if let Some(needed) = &whole.needed {
        demands(page, needed);
    }
    let reasons: Vec<Problem> = serde_json::from_value(it.reasons.clone()).unwrap_or_default();
    for reason in reasons {
        let rule = reason.rule.as_deref().unwrap_or("contract");
        line!(page, "  refused by {rule}: {} ({})", reason.detail, reason.code);
    }
}

/// S01: how many people the effect needs, and which rules say so.
fn demands(page: &mut String, needed: &Needed) {
    match needed.people {
        0 => line!(page, "  no rule asks for people"),
        1 => line!(page, "  needs one person's approval"),
        people => line!(page, "  needs the approvals of {people} people"),
    }
    for it in needed.said() {
        line!(page, "    {}: {} ({})", it.rule, it.why, it.people);
    }
}

fn legs(page: &mut String, whole: &Whole) {
    if whole.legs.is_empty() {
        return;
    }
    let payee = |leg: &Leg| match whole.payee(leg) {
        Some(payee) => match Whole::version_of(payee) {
            Some(version) => format!("{} ****{} (version {version})", payee.holder, payee.last_four),
            None => format!("{} ****{}", payee.holder, payee.last_four),
        },
        None => "source".to_owned(),
    };
    let mut table = output::table(&[
        "leg",
        "top-up",
        "rail",
        "amount",
        "payee",
        "state",
        "payout number",
        "goes out",
        "paid",
    ]);
    for it in &whole.legs {
        table.add_row([
            it.id.to_string(),
            generation(it),
            it.rail.to_string(),
            amount(it.amount, whole.withdrawal.currency),
            payee(it),
            it.state.to_string(),
            it.payout_no.clone(),
            moment_or_nothing(it.dispatch_at),
            moment_or_nothing(it.paid_at),
        ]);
    }
    line!(page, "\nLegs, newest top-up first\n{table}");
}

/// A leg's top-up, and which way of its slice the leg is (R6c).
fn generation(leg: &Leg) -> String {
    match leg.generation {
        1 => leg.top_up_upstream_id.clone(),
        further => format!("{}, way {further}", leg.top_up_upstream_id),
    }
}

/// R11: the versions of the bank details, and what was refused as one.
fn details(page: &mut String, whole: &Whole) {
    if whole.versions.is_empty() && whole.refused_details.is_empty() {
        return;
    }
    let mut table =
        output::table(&["at", "version", "holder", "number", "bank", "branch", "CNAPS", "by", "result"]);
    for it in &whole.versions {
        let current = Some(it.id) == whole.withdrawal.bank_account_id;
        table.add_row([
            moment(it.created_at),
            Whole::version_of(it).map(|it| it.to_string()).unwrap_or_default(),
            it.holder.clone(),
            if it.last_four.is_empty() { String::new() } else { format!("****{}", it.last_four) },
            it.bank_name.clone(),
            it.branch.clone(),
            it.cnaps.clone(),
            it.version.as_ref().map(|it| it.given_by.clone()).unwrap_or_default(),
            if current { "current" } else { "replaced" }.to_owned(),
        ]);
    }
    for it in &whole.refused_details {
        let mut row = vec![String::new(); 9];
        row[0] = moment(it.received_at);
        row[7].clone_from(&it.actor);
        row[8].clone_from(&it.result);
        table.add_row(row);
    }
    line!(page, "\nBank details\n{table}");
}

/// A leg by its top-up; the withdrawal itself by a word.
fn who(whole: &Whole, leg: Option<uuid::Uuid>) -> String {
    let name = |id| whole.legs.iter().find(|it| it.id == id).map(|it| it.top_up_upstream_id.clone());
    leg.map_or_else(|| "withdrawal".to_owned(), |id| name(id).unwrap_or_else(|| id.to_string()))
}

fn moves(page: &mut String, whole: &Whole) {
    let mut table = output::table(&["at", "what", "from", "to", "by", "note"]);
    for it in &whole.moves {
        table.add_row([
            moment(it.at),
            who(whole, it.leg_id),
            it.from.clone(),
            it.to.clone(),
            it.actor.clone(),
            it.note.clone().unwrap_or_default(),
        ]);
    }
    line!(page, "\nMoves\n{table}");
}

fn decisions(page: &mut String, whole: &Whole) {
    if whole.decisions.is_empty() {
        return;
    }
    let mut table = output::table(&["decision", "by", "reason", "result"]);
    for it in &whole.decisions {
        table.add_row([it.verdict.to_string(), it.actor.clone(), it.reason.clone(), it.result.clone()]);
    }
    line!(page, "\nDecisions\n{table}");
}

/// What people said became of legs in manual review.
fn resolutions(page: &mut String, whole: &Whole) {
    if whole.resolutions.is_empty() {
        return;
    }
    let mut table = output::table(&["at", "top-up", "what became of it", "evidence", "by", "result"]);
    for it in &whole.resolutions {
        table.add_row([
            moment(it.made_at),
            who(whole, Some(it.leg_id)),
            it.claim.to_string(),
            it.evidence.clone(),
            it.actor.clone(),
            it.result.clone(),
        ]);
    }
    line!(page, "\nManual review\n{table}");
}

/// Money that a gateway says it moved for a leg that had ended otherwise.
fn late_effects(page: &mut String, whole: &Whole) {
    if whole.late_effects.is_empty() {
        return;
    }
    let mut table = output::table(&["at", "top-up", "the leg was", "the gateway says", "told by", "where"]);
    for it in &whole.late_effects {
        table.add_row([
            moment(it.found_at),
            who(whole, Some(it.leg_id)),
            it.state.clone(),
            it.claim.clone(),
            it.told_by.clone(),
            it.detail.clone(),
        ]);
    }
    line!(page, "\nLATE EFFECTS: money moved for legs that had ended otherwise; people must look\n{table}");
}

fn calls(page: &mut String, whole: &Whole) {
    if whole.calls.is_empty() {
        return;
    }
    let mut table = output::table(&["at", "top-up", "call", "outcome", "code", "reference"]);
    for it in &whole.calls {
        table.add_row([
            moment(it.started_at),
            who(whole, Some(it.leg_id)),
            format!("{} {}", it.kind, it.number),
            it.outcome.clone().unwrap_or_else(|| "no answer".to_owned()),
            it.code.clone().unwrap_or_default(),
            it.reference.clone().unwrap_or_default(),
        ]);
    }
    line!(page, "\nCalls to gateways\n{table}");
}

fn notices(page: &mut String, whole: &Whole) {
    if whole.notices.is_empty() {
        return;
    }
    let mut table = output::table(&["at", "top-up", "claim", "what settle made of it", "number"]);
    for it in &whole.notices {
        table.add_row([
            moment(it.received_at),
            who(whole, Some(it.leg_id)),
            it.claim.clone(),
            it.effect.clone().unwrap_or_else(|| "waits".to_owned()),
            it.notice_id.clone(),
        ]);
    }
    line!(page, "\nNotices of gateways\n{table}");
}

fn transfers(page: &mut String, whole: &Whole) {
    if whole.transfers.is_empty() {
        return;
    }
    let mut table = output::table(&["at", "top-up", "from", "to", "amount", "cause"]);
    for it in &whole.transfers {
        table.add_row([
            moment(it.at),
            it.top_up.clone(),
            it.from.clone(),
            it.to.clone(),
            amount(it.amount, whole.withdrawal.currency),
            it.cause.clone(),
        ]);
    }
    line!(page, "\nJournal\n{table}");
}
