//! `outflow dry-run`: what would become of requests if they were published now.
//!
//! Nothing is written and nothing is sent. Each request is judged by itself, on
//! the books as they are: two of one file do not see each other's holds.

use anyhow::{Context, Result};
use broker::contract::{WithdrawalRequested, parse_request};
use chrono::{DateTime, Utc};
use domain::{Currency, Reason, date_in_shanghai};
use serde_json::{Value, json};
use workers::intake::{Foreseen, ForeseenLeg, Rules, rehearse};
use workers::quote::problem;
use workers::{Clock, PayoutPolicy};

use crate::cli::{General, MessageFile};
use crate::command::messages::{self, Message};
use crate::exit::{Exit, Failure};
use crate::output::{self, moment};
use crate::settings::Settings;
use crate::wiring;

/// A message, and what would become of it; nothing where it is no request.
type Rehearsed = (Message, Option<Foreseen>);

/// Rehearses every request of a file.
///
/// # Errors
/// When a message breaks the contract, a request would be refused, or the
/// database is away.
pub(crate) async fn run(general: &General, arguments: &MessageFile) -> Result<()> {
    let messages = messages::all_fit(&messages::read(&arguments.file)?)?;
    let settings = Settings::load(general.config.as_deref())?;
    let database = wiring::database(&settings).await?;
    let rules =
        Rules { policy: settings.policy.rules(), proofs: settings.proofs()?, vault: settings.vault()? };
    let payouts: PayoutPolicy = settings.policy.payouts(settings.calendar()?);
    let at: DateTime<Utc> = Clock::System.now();
    let mut rehearsed = Vec::with_capacity(messages.len());
    for message in messages {
        let foreseen = if message.kind == WithdrawalRequested::KIND {
            let request = parse_request(message.body()).context("a message that was read before")?;
            let foreseen = rehearse(&database, (&rules, &payouts), &request, at).await;
            Some(foreseen.context("rehearsing a request")?)
        } else {
            None
        };
        rehearsed.push((message, foreseen));
    }
    if general.output.is_data() {
        output::data(general.output, &rehearsed.iter().map(in_json).collect());
    } else {
        let pages: Vec<String> = rehearsed.iter().map(page).collect();
        output::page(&pages.join("\n"));
    }
    verdict(general, &rehearsed, &arguments.file.display().to_string())
}

/// Success, or the exit status of a refusal.
fn verdict(general: &General, rehearsed: &[Rehearsed], file: &str) -> Result<()> {
    let refused = rehearsed.iter().find_map(|(_, it)| match it {
        Some(Foreseen::Refused { reasons, .. }) => reasons.first(),
        _ => None,
    });
    let Some(first) = refused else {
        output::talk("Nothing was written.");
        output::next(general, &format!("outflow publish {file}"));
        return Ok(());
    };
    let count = rehearsed.iter().filter(|(_, it)| matches!(it, Some(Foreseen::Refused { .. }))).count();
    let what = format!("{count} of {} messages would be refused; nothing was written", rehearsed.len());
    Err(Failure::new(Exit::Refused, what, format!("outflow explain {}", first.code())).into())
}

fn in_json((message, foreseen): &Rehearsed) -> Value {
    let mut told = json!({ "id": message.id, "type": message.kind, "queue": message.queue });
    match foreseen {
        None => told["result"] = "not_rehearsed".into(),
        Some(Foreseen::Repeat { withdrawal_id, differing }) => {
            told["result"] = if differing.is_empty() { "same" } else { "conflict" }.into();
            told["withdrawal_id"] = json!(withdrawal_id);
            told["differing"] = json!(differing);
        }
        Some(Foreseen::Refused { reasons, currency }) => {
            told["result"] = "rejected".into();
            told["reasons"] = reasons.iter().map(|it| json!(problem(it, *currency))).collect();
        }
        Some(Foreseen::Accepted { legs, missing, currency }) => {
            told["result"] = "accepted".into();
            let leg = |it: &ForeseenLeg| {
                json!({
                    "top_up_id": it.top_up, "amount": it.amount.to_text(*currency), "rail": it.rail.to_string(),
                    "dispatch_at": it.dispatch_at, "deadline_at": it.deadline.map(|it| it.at),
                    "deadline_provisional": it.deadline.is_some_and(|it| it.provisional),
                })
            };
            told["legs"] = legs.iter().map(leg).collect();
            told["missing_details"] = missing.iter().map(|it| Value::from(it.to_string())).collect();
        }
    }
    told
}

fn page((message, foreseen): &Rehearsed) -> String {
    let head = format!("{} {}\n", message.kind, message.id);
    head + &match foreseen {
        None => "  fits the contract; only requests are rehearsed\n".to_owned(),
        Some(Foreseen::Repeat { withdrawal_id, differing }) if differing.is_empty() => {
            format!("  came before as withdrawal {withdrawal_id}: answered again, and nothing else\n")
        }
        Some(Foreseen::Repeat { withdrawal_id, differing }) => format!(
            "  conflict: withdrawal {withdrawal_id} has this source and id and differs in {}\n",
            differing.join(", ")
        ),
        Some(Foreseen::Refused { reasons, currency }) => {
            reasons.iter().map(|it| refusal(it, *currency)).collect()
        }
        Some(Foreseen::Accepted { legs, missing, currency }) => {
            let mut table =
                output::table(&["top-up", "amount", "by", "sent, if approved now", "arrives by the end of"]);
            for it in legs {
                let deadline = it.deadline.map_or_else(
                    || "the same moment".to_owned(),
                    |it| {
                        let doubt = if it.provisional { " (provisional)" } else { "" };
                        format!("{}{doubt}", date_in_shanghai(it.at))
                    },
                );
                table.add_row([
                    it.top_up.clone(),
                    output::amount(it.amount, *currency),
                    it.rail.to_string(),
                    moment(it.dispatch_at),
                    deadline,
                ]);
            }
            let missing: Vec<String> = missing.iter().map(ToString::to_string).collect();
            let wait = if missing.is_empty() {
                String::new()
            } else {
                format!("  and waits for the bank account's {} (R11)\n", missing.join(", "))
            };
            format!("  would be accepted\n{table}\n{wait}")
        }
    }
}

fn refusal(reason: &Reason, currency: Currency) -> String {
    format!("  refused by {}: {} ({})\n", reason.rule(), reason.detail(currency), reason.code())
}
