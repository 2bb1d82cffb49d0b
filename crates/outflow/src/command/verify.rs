//! `outflow verify`: every invariant of the books, with the gateways' own book as
//! evidence where there is one.

mod book;

use anyhow::{Context, Result};
use serde_json::json;
use store::verify::{INVARIANTS, Violation, verify};

use crate::cli::{General, Verify};
use crate::exit::{Exit, Failure};
use crate::settings::Settings;
use crate::{output, wiring};

pub(crate) use book::movements_of;

/// Asks every invariant.
///
/// # Errors
/// When one is broken, the evidence cannot be read, or the database is away.
pub(crate) async fn run(general: &General, arguments: &Verify) -> Result<()> {
    let settings = Settings::load(general.config.as_deref())?;
    let database = wiring::database(&settings).await?;
    let movements = match &arguments.book {
        Some(place) => Some(book::read(place).await?),
        None => None,
    };
    let approvers = i64::try_from(settings.policy.approvers).unwrap_or(i64::MAX);
    let at = workers::Clock::System.now();
    let violations =
        verify(&database, movements.as_deref(), approvers, at).await.context("checking the books")?;
    let evidence = movements.as_ref().map_or_else(
        || "without the gateways' own book (--book)".to_owned(),
        |it| format!("with {} movements of the gateways' own book", it.len()),
    );
    let asked = |(id, meaning): &(&str, &str)| {
        let holds = violations.iter().all(|it| it.invariant != *id);
        json!({ "invariant": id, "meaning": meaning, "holds": holds })
    };
    if general.output.is_data() {
        output::data(
            general.output,
            &json!({
                "clean": violations.is_empty(),
                "evidence": movements.is_some(),
                "invariants": INVARIANTS.iter().map(asked).collect::<Vec<_>>(),
                "violations": violations.iter().map(in_json).collect::<Vec<_>>(),
            }),
        );
    } else {
        tell(&violations);
    }
    if violations.is_empty() {
        output::talk(&format!("{} invariants hold, {evidence}.", INVARIANTS.len()));
        output::next(general, "outflow status");
        return Ok(());
    }
    let what = format!("{} violations of the invariants, {evidence}", violations.len());
    Err(Failure::new(
        Exit::Failed,
        what,
        "outflow show ID for the withdrawals named above; pay nothing out before it is understood",
    )
    .into())
}

fn in_json(it: &Violation) -> serde_json::Value {
    json!({ "invariant": it.invariant, "subject": it.subject, "detail": it.detail })
}

fn tell(violations: &[Violation]) {
    for (id, meaning) in INVARIANTS {
        let broken: Vec<&Violation> = violations.iter().filter(|it| it.invariant == *id).collect();
        println!("{} {id} {meaning}", if broken.is_empty() { "✓" } else { "✗" });
        for it in broken {
            println!("    {}: {}", it.subject, it.detail);
        }
    }
}
