//! `outflow resolve`: says what became of a payment in manual review.
//!
//! It takes two people. The first proposes, and the leg moves when a second one
//! says the same; what came of it is waited for and shown.

use anyhow::{Context, Result};
use broker::contract::{Fate, LegResolved};
use serde_json::json;
use store::Database;
use store::legs::{self, Leg};
use uuid::Uuid;

use super::instruction::{self, SOURCE};
use crate::cli::{General, Outcome, ResolveLeg};
use crate::exit::{Exit, Failure};
use crate::settings::Settings;
use crate::{output, wiring};

/// Publishes what one person says, and shows what came of it.
///
/// # Errors
/// When there is no such leg, a rule refuses it, or a server is away.
pub(crate) async fn run(general: &General, arguments: &ResolveLeg) -> Result<()> {
    let settings = Settings::load(general.config.as_deref())?;
    let database = wiring::database(&settings).await?;
    let leg = find(&database, arguments.leg).await?;
    let stamp = instruction::stamp();
    let id = stamp.id.to_string();
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
    let body = said.into_message(stamp).to_json();
    let result = instruction::say(&settings, &database, (leg.withdrawal_id, &id), body).await?;
    show(general, &leg, (&id, &result));
    Ok(())
}

async fn find(database: &Database, id: Uuid) -> Result<Leg> {
    let mut connection = database.pool().acquire().await.context("reading the leg")?;
    let leg = legs::find(&mut connection, id).await.context("reading the leg")?;
    leg.ok_or_else(|| {
        let next = "outflow show ID names the legs of a withdrawal";
        Failure::new(Exit::NotFound, format!("there is no leg {id}"), next).into()
    })
}

fn show(general: &General, leg: &Leg, (id, result): (&str, &str)) {
    let withdrawal = leg.withdrawal_id;
    if general.output.is_data() {
        output::data(
            general.output,
            &json!({
                "source": SOURCE, "id": id, "leg_id": leg.id, "withdrawal_id": withdrawal, "result": result,
            }),
        );
    } else {
        let what = match result {
            "proposed" => "proposed; the leg moves when a second person says the same",
            _ => "a second person says the same: the review is over",
        };
        println!("leg {}: {what}", leg.id);
    }
    output::next(general, &format!("outflow show {withdrawal}"));
}
