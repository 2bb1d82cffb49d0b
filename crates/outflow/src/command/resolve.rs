//! `outflow resolve`: says what became of a payment in manual review.
//!
//! It takes two people. The first proposes, and the leg moves when a second one
//! says the same; what came of it is waited for and shown.

use std::time::Duration;

use anyhow::{Context, Result};
use broker::contract::{Fate, LegResolved, Stamp};
use broker::topology::DECISIONS;
use broker::{Outgoing, Publisher};
use serde_json::json;
use store::legs::{self, Leg};
use store::{Database, instructions};
use uuid::Uuid;
use workers::Clock;

use super::publish;
use crate::cli::{General, Outcome, Output, ResolveLeg};
use crate::exit::{Exit, Failure};
use crate::settings::Settings;
use crate::{output, wiring};

/// Who sends the messages of this command.
const SOURCE: &str = "/outflow/cli";

/// How often the database is asked what came of the message, and how long.
const LOOK_EVERY: Duration = Duration::from_millis(100);
const LOOKS: usize = 100;

/// Publishes what one person says, and shows what came of it.
///
/// # Errors
/// When there is no such leg, a rule refuses it, or a server is away.
pub(crate) async fn run(general: &General, arguments: &ResolveLeg) -> Result<()> {
    let settings = Settings::load(general.config.as_deref())?;
    let database = wiring::database(&settings).await?;
    let leg = find(&database, arguments.leg).await?;
    let connections = wiring::broker(&settings, "outflow resolve").await?;
    let id = Uuid::now_v7().to_string();
    let stamp = Stamp {
        source: SOURCE.parse().expect("it is a URI reference"),
        id: id.parse().expect("a UUID is a short text"),
        time: Clock::System.now(),
    };
    let said = LegResolved {
        withdrawal_id: leg.withdrawal_id,
        leg_id: leg.id,
        outcome: match arguments.outcome {
            Outcome::Paid => Fate::Paid,
            Outcome::NotPaid => Fate::NotPaid,
        },
        evidence: arguments.evidence.clone(),
        actor: arguments.by.clone(),
    };
    let message = Outgoing::work(DECISIONS, id.clone(), said.into_message(stamp).to_json());
    let result = Publisher::new(&connections).publish(message).await;
    publish::judge(std::slice::from_ref(&result))?;
    let came_of_it = wait(&database, &id).await.context("asking what came of it")?;
    show(general, &leg, (&id, came_of_it.as_deref()))
}

async fn find(database: &Database, id: Uuid) -> Result<Leg> {
    let mut connection = database.pool().acquire().await.context("reading the leg")?;
    let leg = legs::find(&mut connection, id).await.context("reading the leg")?;
    leg.ok_or_else(|| {
        let next = "outflow show ID names the legs of a withdrawal";
        Failure::new(Exit::NotFound, format!("there is no leg {id}"), next).into()
    })
}

/// The word for what came of the message; nothing when no worker has read it in time.
async fn wait(database: &Database, id: &str) -> Result<Option<String>> {
    for _ in 0..LOOKS {
        let mut connection = database.pool().acquire().await?;
        let known = instructions::known(&mut connection, &[SOURCE], &[id]).await?;
        if let Some(it) = known.into_iter().next() {
            return Ok(Some(it.result));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(None)
}

fn show(general: &General, leg: &Leg, (id, result): (&str, Option<&str>)) -> Result<()> {
    let withdrawal = leg.withdrawal_id;
    if general.output == Output::Json {
        output::json(&json!({
            "source": SOURCE, "id": id, "leg_id": leg.id, "withdrawal_id": withdrawal, "result": result,
        }));
    }
    let what = match result {
        Some("applied") => "a second person says the same: the review is over",
        Some("proposed") => "proposed; the leg moves when a second person says the same",
        None => "on its way; no decisions worker has read it yet",
        Some(code) => {
            let what = format!("it changed nothing: {code}");
            return Err(Failure::new(Exit::Refused, what, format!("outflow show {withdrawal}")).into());
        }
    };
    if general.output == Output::Table {
        println!("leg {}: {what}", leg.id);
    }
    eprintln!("next: outflow show {withdrawal}");
    Ok(())
}
