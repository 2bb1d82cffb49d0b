//! `outflow dev`: the stage of the demo with the machine's clock, until Ctrl-C.

use anyhow::{Context, Result};
use devstack::Install;
use simulator::SimClock;
use store::operators::Role;

use crate::cli::Dev;
use crate::interrupt::stop_on_signal;
use crate::stage::{Plan, Proof, Stage};
use crate::wiring::{Wiring, Worker};
use crate::{command, wiring};

/// Keeps servers, simulator and the chosen workers up until Ctrl-C.
///
/// # Errors
/// When a server is missing and may not be installed, or a worker cannot go on.
pub(crate) async fn run(arguments: Dev) -> Result<()> {
    let mut workers = Worker::list(&arguments.workers)?;
    if arguments.workers.iter().any(|it| it == "all") {
        // The gateways of the stage send their notices there.
        workers.push(Worker::Api);
    }
    let stop = stop_on_signal()?;
    let plan = Plan {
        install: if arguments.no_install { Install::Never } else { Install::WhenMissing },
        clock: SimClock::Real,
        proof: Proof::NotAsked,
        say: |line| eprintln!("{line}"),
    };
    let mut stage = tokio::select! {
        stage = Stage::build(&plan) => stage?,
        () = stop.cancelled() => return Ok(()),
    };
    if !workers.contains(&Worker::Api) {
        stage.close_door();
    }
    let people = people(&stage).await?;
    tell(&stage, &workers, &people)?;
    let result = if workers.is_empty() {
        stop.cancelled().await;
        Ok(())
    } else {
        match Wiring::connect(&stage.settings, "outflow dev").await {
            Ok(mut wiring) => {
                wiring.api_door = stage.door();
                wiring.run(&workers, stop).await
            }
            Err(error) => Err(error),
        }
    };
    stage.strike().await.context("ending the servers")?;
    result
}

/// Who is there to try things with: one who asks, and two who approve.
const PEOPLE: &[(&str, Role, &str)] = &[
    ("chen.jie", Role::Operator, "OUTFLOW_OPERATOR_TOKEN"),
    ("wang.fang", Role::Approver, "OUTFLOW_APPROVER_TOKEN"),
    ("zhao.lei", Role::Approver, "OUTFLOW_SECOND_APPROVER_TOKEN"),
];

/// Adds the people, and answers with their variables and tokens.
async fn people(stage: &Stage) -> Result<Vec<(&'static str, String)>> {
    let database = wiring::database(&stage.settings).await?;
    let at = workers::Clock::System.now();
    let mut tokens = Vec::with_capacity(PEOPLE.len());
    for (name, role, variable) in PEOPLE {
        let token = command::operator::add(&database, (name, *role), "outflow dev", at).await?;
        tokens.push((*variable, token));
    }
    database.close().await;
    Ok(tokens)
}

/// What a second terminal needs: on stdout, so that a shell can evaluate it.
fn tell(stage: &Stage, workers: &[Worker], people: &[(&str, String)]) -> Result<()> {
    for (name, value) in stage.environment()?.iter().chain(people) {
        std::println!("export {name}='{value}'");
    }
    std::println!("export OUTFLOW_SIMULATOR_URL='{}'", stage.simulator.base_url());
    let names = match workers.len() {
        0 => "none here: outflow run intake (and the others) in terminals of their own".to_owned(),
        count => format!("{count} in this process"),
    };
    eprintln!("  settings, keys, book: {}", stage.folder().display());
    eprintln!("  workers: {names}");
    if workers.contains(&Worker::Api) {
        eprintln!("  console: http://{}/", stage.settings.api.listen);
    }
    for ((name, role, _), (_, token)) in PEOPLE.iter().zip(people) {
        eprintln!("    {name} ({role}): {token}");
    }
    eprintln!("Copy the export lines into a second terminal. Ctrl-C here ends everything.");
    eprintln!("next: outflow publish FILE · outflow list · outflow verify --book $OUTFLOW_SIMULATOR_URL");
    Ok(())
}
