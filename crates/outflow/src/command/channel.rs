//! `outflow channel`: stops sends, and lets them go on.
//!
//! A stop works in every payout worker in less than a second. It keeps money from
//! leaving and nothing else: what is under way is still asked about.

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use clap::ValueEnum;
use domain::{Circuit, CircuitState, Rail};
use serde_json::json;
use store::audit::{self, Deed};
use store::circuits::{self, CircuitRow};
use store::stops::{self, ALL, Stop};
use strum::IntoEnumIterator;

use super::CLI;
use crate::cli::{Channel, General, Switch, SwitchName};
use crate::exit::{Exit, Failure};
use crate::settings::Settings;
use crate::{output, wiring};

/// Moves a switch, or shows all of them.
///
/// # Errors
/// When the switch is where it should go already, or the database is away.
pub(crate) async fn run(general: &General, wish: &Channel) -> Result<()> {
    let settings = Settings::load(general.config.as_deref())?;
    let database = wiring::database(&settings).await?;
    let at = workers::Clock::System.now();
    let mut tx = database.begin().await?;
    match wish {
        Channel::List => list(general, &stops::all(&mut tx).await?, &circuits::all(&mut tx).await?),
        Channel::Pause(switch) => {
            let stop = Stop {
                name: name_of(switch.rail),
                reason: switch.reason.clone(),
                thrown_by: switch.by.clone(),
                thrown_at: at,
            };
            if !stops::throw(&mut tx, &stop).await? {
                let there = stops::all(&mut tx).await?.into_iter().find(|it| it.name == stop.name);
                return Err(already_stopped(&stop.name, there.as_ref()).into());
            }
            audit::put(&mut tx, &deed(switch, "pause", &stop.name), at).await?;
            tx.commit().await.context("throwing the switch")?;
            moved(general, &stop.name, (switch, at), true);
        }
        Channel::Resume(switch) => {
            let name = name_of(switch.rail);
            let lifted = stops::lift(&mut tx, &name, (&switch.reason, &switch.by), at).await?;
            let closed = circuits::close(&mut tx, &name, at).await?;
            if !lifted && !closed {
                let what = format!("{name} is not stopped, and its circuit is closed");
                return Err(Failure::new(Exit::Refused, what, "outflow channel list").into());
            }
            audit::put(&mut tx, &deed(switch, "resume", &name), at).await?;
            tx.commit().await.context("lifting the switch")?;
            moved(general, &name, (switch, at), false);
        }
    }
    Ok(())
}

/// The entry of the audit (S13): the same as where the switch is moved over HTTP.
fn deed(switch: &Switch, action: &str, name: &str) -> Deed {
    Deed::new((&switch.by, CLI), action, name).with(json!({ "reason": switch.reason }))
}

fn name_of(switch: SwitchName) -> String {
    let value = switch.to_possible_value().expect("every switch has a name");
    value.get_name().to_owned()
}

fn already_stopped(name: &str, there: Option<&Stop>) -> Failure {
    let story = there.map_or_else(String::new, |it| {
        format!(" by {} since {}: {}", it.thrown_by, output::moment(it.thrown_at), it.reason)
    });
    Failure::new(Exit::Refused, format!("{name} is stopped already{story}"), "outflow channel list")
}

fn list(general: &General, stops: &[Stop], circuits: &[(Rail, CircuitRow)]) {
    let circuit_of =
        |name: &str| circuits.iter().find(|(rail, _)| rail.to_string() == name).map(|(_, row)| &row.circuit);
    let rows: Vec<(String, Option<&Stop>)> = std::iter::once(ALL.to_owned())
        .chain(Rail::iter().map(|it| it.to_string()))
        .map(|name| (name.clone(), stops.iter().find(|it| it.name == name)))
        .collect();
    if general.output.is_data() {
        let row = |(name, stop): &(String, Option<&Stop>)| {
            json!({
                "channel": name,
                "stopped": stop.is_some(),
                "reason": stop.map(|it| &it.reason),
                "by": stop.map(|it| &it.thrown_by),
                "since": stop.map(|it| it.thrown_at),
                "circuit": circuit_of(name).map(|it| json!({
                    "state": it.state.to_string(), "cause": it.cause, "since": it.opened_at,
                    "next_try": it.probe_at, "failures": it.failures,
                })),
            })
        };
        output::data(general.output, &rows.iter().map(row).collect());
        return;
    }
    let mut table = output::table(&["channel", "sends", "since", "by", "reason", "circuit"]);
    let stopped = rows.iter().find(|(_, stop)| stop.is_some()).map(|(name, _)| name.clone());
    for (name, stop) in rows {
        let sends = if stop.is_some() { "STOPPED" } else { "go out" };
        let text = |pick: fn(&Stop) -> String| stop.map(pick).unwrap_or_default();
        table.add_row([
            name.clone(),
            sends.to_owned(),
            text(|it| output::moment(it.thrown_at)),
            text(|it| it.thrown_by.clone()),
            text(|it| it.reason.clone()),
            circuit_of(&name).map(in_words).unwrap_or_default(),
        ]);
    }
    println!("{table}");
    let next = match stopped {
        Some(name) => format!("outflow channel resume {name} --reason … --by …"),
        None => "outflow status".to_owned(),
    };
    output::next(general, &next);
}

/// A circuit in a few words.
fn in_words(it: &Circuit) -> String {
    let cause = it.cause.as_deref().unwrap_or("nobody knows why");
    match it.state {
        CircuitState::Closed => "closed".to_owned(),
        CircuitState::Open => {
            format!("OPEN since {}: {cause}; next try {}", since(it.opened_at), since(it.probe_at))
        }
        CircuitState::HalfOpen => format!("tries one payment; open since {}: {cause}", since(it.opened_at)),
    }
}

fn since(at: Option<DateTime<Utc>>) -> String {
    at.map(output::moment).unwrap_or_default()
}

fn moved(general: &General, name: &str, (switch, at): (&Switch, DateTime<Utc>), stopped: bool) {
    if general.output.is_data() {
        output::data(
            general.output,
            &json!({
                "channel": name, "stopped": stopped, "reason": switch.reason, "by": switch.by, "at": at,
            }),
        );
    }
    let (what, next) = if stopped {
        ("Nothing is sent any more", format!("outflow channel resume {name} --reason … --by …"))
    } else {
        ("Money may leave again", "outflow list".to_owned())
    };
    output::talk(&format!("{name}: {what}."));
    output::next(general, &next);
}
