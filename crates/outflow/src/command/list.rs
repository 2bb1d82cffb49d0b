//! `outflow list`: the newest withdrawals.

use anyhow::{Context, Result};
use serde_json::json;
use store::withdrawals::{self, Withdrawal};

use crate::cli::{General, List};
use crate::settings::Settings;
use crate::{output, wiring};

/// Lists withdrawals, the newest first.
///
/// # Errors
/// When the database is away.
pub(crate) async fn run(general: &General, arguments: &List) -> Result<()> {
    let settings = Settings::load(general.config.as_deref())?;
    let database = wiring::database(&settings).await?;
    let mut connection = database.pool().acquire().await.map_err(store::Error::from)?;
    let rows = withdrawals::newest(&mut connection, arguments.state, arguments.limit)
        .await
        .context("reading withdrawals")?;
    if general.output.is_data() {
        let rows: Vec<serde_json::Value> = rows.iter().map(in_json).collect();
        output::list(general.output, FIELDS, &rows);
        return Ok(());
    }
    let mut table =
        output::table(&["withdrawal", "account", "amount", "route", "state", "received", "expected by"]);
    for it in &rows {
        table.add_row([
            it.id.to_string(),
            it.account_id.clone(),
            output::amount(it.amount, it.currency),
            it.route.to_string(),
            it.state.to_string(),
            output::moment(it.received_at),
            output::moment_or_nothing(it.deadline_at),
        ]);
    }
    println!("{table}");
    if let Some(newest) = rows.first() {
        output::next(general, &format!("outflow show {}", newest.id));
    } else {
        output::talk("There are none.");
        output::next(general, "outflow publish FILE");
    }
    Ok(())
}

/// The fields of [`in_json`].
const FIELDS: &[&str] = &[
    "withdrawal_id",
    "request",
    "account_id",
    "amount",
    "currency",
    "route",
    "state",
    "sequence",
    "requester",
    "reasons",
    "held_because",
    "effect_digest",
    "requested_at",
    "received_at",
    "approved_at",
    "expected_by",
    "provisional",
    "expires_at",
];

/// A withdrawal for programs. The names are those of the status events.
pub(crate) fn in_json(it: &Withdrawal) -> serde_json::Value {
    json!({
        "withdrawal_id": it.id,
        "request": { "source": it.source, "id": it.request_id },
        "account_id": it.account_id,
        "amount": it.amount.to_text(it.currency),
        "currency": it.currency.to_string(),
        "route": it.route.to_string(),
        "state": it.state.to_string(),
        "sequence": it.sequence,
        "requester": it.requester,
        "reasons": it.reasons,
        "held_because": it.held_because,
        "effect_digest": it.effect_digest.as_deref().map(hex::encode),
        "requested_at": it.requested_at,
        "received_at": it.received_at,
        "approved_at": it.approved_at,
        "expected_by": it.deadline_at,
        "provisional": it.deadline_provisional,
        "expires_at": it.expires_at,
    })
}
