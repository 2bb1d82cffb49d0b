//! `outflow watch`: the moves of one withdrawal as they happen, until it has ended.

use std::collections::HashSet;
use std::time::Duration;

use anyhow::{Context, Result};
use domain::WithdrawalState as State;
use serde_json::{Value, json};
use store::history::{self, PastMove};
use store::{Database, withdrawals};
use uuid::Uuid;

use crate::cli::{General, Output, Watch};
use crate::exit::{Exit, Failure};
use crate::interrupt::stop_on_signal;
use crate::output::{self, moment};
use crate::settings::Settings;
use crate::wiring;

/// Prints every move, those that were already made first.
///
/// # Errors
/// When there is no such withdrawal, it ended without a payment, or the database is away.
pub(crate) async fn run(general: &General, arguments: &Watch) -> Result<()> {
    let settings = Settings::load(general.config.as_deref())?;
    let database = wiring::database(&settings).await?;
    let stop = stop_on_signal()?;
    let mut told = HashSet::new();
    loop {
        let (state, moves) = look(&database, arguments.id).await?;
        for it in moves {
            if told.insert((it.leg_id, it.sequence)) {
                tell(general.output, &it);
            }
        }
        if state.is_final() {
            return end(general, arguments.id, state);
        }
        tokio::select! {
            () = stop.cancelled() => return Err(interrupted(arguments.id).into()),
            () = tokio::time::sleep(Duration::from_secs(arguments.every.into())) => {}
        }
    }
}

async fn look(database: &Database, id: Uuid) -> Result<(State, Vec<PastMove>)> {
    let mut tx = database.snapshot().await?;
    let withdrawal = withdrawals::find(&mut tx, id).await.context("reading the withdrawal")?;
    let withdrawal = withdrawal.ok_or_else(|| {
        let what = format!("there is no withdrawal {id}");
        Failure::new(Exit::NotFound, what, "outflow list shows those that there are")
    })?;
    let moves = history::moves(&mut tx, id).await.context("reading its moves")?;
    Ok((withdrawal.state, moves))
}

/// A line per move. A document cannot be written while it grows, so that every
/// form for programs is JSON lines here.
fn tell(output: Output, it: &PastMove) {
    if output.is_data() {
        output::data(Output::Jsonl, &in_json(it));
        return;
    }
    let subject = it.leg_id.map_or_else(|| "withdrawal".to_owned(), |id| format!("leg {id}"));
    let note = it.note.as_deref().map(|note| format!(": {note}")).unwrap_or_default();
    let at = moment(it.at);
    output::page(&format!("{at} {subject} {} → {} ({}, {}){note}\n", it.from, it.to, it.event, it.actor));
}

fn in_json(it: &PastMove) -> Value {
    json!({
        "leg_id": it.leg_id, "sequence": it.sequence, "from": it.from, "to": it.to,
        "event": it.event, "actor": it.actor, "note": it.note, "at": it.at,
    })
}

fn interrupted(id: Uuid) -> Failure {
    Failure::new(Exit::Interrupted, "it has not ended yet", format!("outflow watch {id} goes on"))
}

fn end(general: &General, id: Uuid, state: State) -> Result<()> {
    if matches!(state, State::Completed | State::PartiallyCompleted) {
        output::talk(&format!("It has ended: {state}."));
        output::next(general, &format!("outflow show {id}"));
        return Ok(());
    }
    let what = format!("it has ended without a payment: {state}");
    Err(Failure::new(Exit::Refused, what, format!("outflow show {id} says why")).into())
}
