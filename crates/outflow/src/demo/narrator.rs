//! The voice of the demo: one line at a time on stdout, readable without colour.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use broker::contract::{Problem, RequestRepeated, StatusChanged};
use chrono::{DateTime, Utc};
use domain::WithdrawalState;

use super::cast::find_top_up;
use super::curtain::Verdict;
use super::stories::{self, Story};
use crate::output;

/// Writes a line. A reader who left is no reason to stop.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// A line above a part of the demo.
pub(crate) fn title(line: &str) {
    say(&format!("\n{}", styled("1", line)));
}

/// A line about something that only time brings.
pub(crate) fn aside(line: &str) {
    say(&styled("2", &format!("  {line}")));
}

/// A line about a story at a moment.
pub(crate) fn line(at: DateTime<Utc>, story: &Story, what: &str) {
    say(&format!("  {}  {} {:<19} {what}", time(at), story.id, story.customer().name));
}

/// A moment without its year, in Shanghai.
pub(crate) fn time(at: DateTime<Utc>) -> String {
    output::shanghai(at).format("%m-%d %H:%M").to_string()
}

/// `text` in a style of ANSI, where stdout is a terminal that may be coloured.
fn styled(style: &str, text: &str) -> String {
    let allowed = std::env::var_os("NO_COLOR").is_none_or(|it| it.is_empty());
    if allowed && std::io::stdout().is_terminal() {
        format!("\u{1b}[{style}m{text}\u{1b}[0m")
    } else {
        text.to_owned()
    }
}

/// A status event, as it arrives.
pub(crate) fn event(at: DateTime<Utc>, status: &StatusChanged) {
    let Some(story) = stories::story(status.request.id.as_str()) else { return };
    let amount = &status.amount;
    let what = match status.state {
        // What went before says it already.
        WithdrawalState::Processing => return,
        WithdrawalState::PendingApproval | WithdrawalState::AwaitingDetails
            if status.previous_state.is_none() =>
        {
            let waits = if status.state == WithdrawalState::AwaitingDetails {
                "; waits for bank details"
            } else {
                ""
            };
            format!("{amount} held: {}{waits}", draws(status))
        }
        WithdrawalState::Approved if status.previous_state == Some(WithdrawalState::OnHold) => {
            "off hold".to_owned()
        }
        WithdrawalState::Approved => match status.expected_by {
            Some(by) => format!("approved; in the bank by {}", output::shanghai(by).format("%Y-%m-%d")),
            None => "approved; in real time".to_owned(),
        },
        WithdrawalState::Rejected => {
            format!("{} rejects {amount}: {}", styled("33", "✗"), reasons(&status.reasons))
        }
        WithdrawalState::Completed => format!("{} completed: {amount}", styled("32", "✓")),
        WithdrawalState::OnHold => "on hold".to_owned(),
        state => format!("{} {}", styled("33", "✗"), state.to_string().replace('_', " ")),
    };
    line(at, story, &what);
}

/// A doubt that ended well: the query's answer came before this event.
pub(crate) fn resolved(at: DateTime<Utc>, status: &StatusChanged) {
    let Some(story) = stories::story(status.request.id.as_str()) else { return };
    line(at, story, "the gateway was asked by our own number: it had paid, once");
}

/// The LIFO draw in words: the last slice is often a part of its top-up.
fn draws(status: &StatusChanged) -> String {
    let draw = |leg: &broker::contract::LegStatus| {
        let amount = leg.amount.as_str();
        match find_top_up(leg.top_up_id.as_str()) {
            Some(it) if it.amount != amount => format!("{amount} of {}'s {}", it.id, it.amount),
            _ => format!("{amount} of {}", leg.top_up_id),
        }
    };
    status.legs.iter().map(draw).collect::<Vec<_>>().join(" + ")
}

fn reasons(reasons: &[Problem]) -> String {
    let reason = |it: &Problem| format!("{} ({})", it.detail, it.rule.as_deref().unwrap_or("contract"));
    reasons.iter().map(reason).collect::<Vec<_>>().join(" · ")
}

/// A request that came again.
pub(crate) fn repeated(at: DateTime<Utc>, it: &RequestRepeated) {
    let Some(story) = stories::story(it.request.id.as_str()) else { return };
    let what = if it.differing.is_empty() {
        format!("asked again: same answer, {}; nothing happens twice", it.state)
    } else {
        format!("same number, other {}: conflict, nothing changes", it.differing.join(" and "))
    };
    line(at, story, &what);
}

/// A message that nobody can use.
pub(crate) fn dead_letter(queue: &str, problem: &Problem) {
    let pointer = problem.pointer.as_deref().unwrap_or_default();
    say(&format!(
        "  dead letter from {queue}: {pointer} {} ({}); parked for people",
        problem.detail, problem.code
    ));
}

/// The last lines.
pub(crate) fn farewell(verdict: &Verdict, took: Duration) {
    title("The end of every story");
    say(&verdict.table.to_string());
    for violation in &verdict.violations {
        say(&format!("{} {violation}", styled("31", "✗")));
    }
    if verdict.violations.is_empty() {
        say(&format!("{} {} invariants and every story hold", styled("32", "✓"), verdict.invariants));
    }
    say(&format!(
        "{} withdrawals asked for {}; {} paid {} in {} payments, told by {} notices, in {:.0} s",
        verdict.withdrawals,
        output::yuan(verdict.asked),
        verdict.completed,
        output::yuan(verdict.paid),
        verdict.payments,
        verdict.notices,
        took.as_secs_f32(),
    ));
    say(&format!(
        "paid twice: {}, ledger difference: {}",
        verdict.paid_twice,
        output::yuan(verdict.difference)
    ));
    say("");
    say("I publish messages:   outflow dev, then outflow publish FILE and outflow list");
    say("I run it:             outflow run all --config config/outflow.toml, and outflow verify");
    say("I test gateways:      cargo run --release -p simulator -- --help");
}
