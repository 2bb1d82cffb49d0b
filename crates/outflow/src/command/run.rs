//! `outflow run`: one worker, or all of them, until told to stop.

use anyhow::{Context, Result};
use tokio::net::TcpListener;
use tracing::info;

use crate::cli::{General, Run, WorkerName};
use crate::exit::{Exit, Failure};
use crate::interrupt::stop_on_signal;
use crate::settings::Settings;
use crate::wiring::{Wiring, Worker};

/// Runs until Ctrl-C or SIGTERM, and then finishes what is in hand.
///
/// # Errors
/// When a setting is wrong, or a worker cannot go on.
pub(crate) async fn run(general: &General, arguments: &Run) -> Result<()> {
    let workers = workers(arguments)?;
    let settings = Settings::load(general.config.as_deref())?;
    let stop = stop_on_signal()?;
    let wiring = Wiring::connect(&settings, &format!("outflow {}", name(arguments.worker))).await?;
    if let Some(address) = arguments.probe {
        let listener = TcpListener::bind(address).await;
        let listener =
            listener.with_context(|| format!("the probes cannot listen on {address}; set --probe"))?;
        tokio::spawn(api::probe(listener, wiring.database.clone(), stop.clone()));
    }
    info!(workers = workers.len(), "Running; Ctrl-C finishes what is in hand and ends");
    wiring.run(&workers, stop).await
}

fn name(worker: WorkerName) -> String {
    format!("{worker:?}").to_lowercase()
}

/// The workers that the command line names.
fn workers(arguments: &Run) -> Result<Vec<Worker>> {
    let Run { worker, rail, .. } = arguments;
    if *worker == WorkerName::Payout && !rail.is_empty() {
        return Ok(rail.iter().map(|it| Worker::Payout((*it).into())).collect());
    }
    if !rail.is_empty() {
        let what = format!("--rail belongs to `run payout`, not to `run {}`", name(*worker));
        return Err(Failure::new(Exit::Usage, what, "leave --rail out, or run payout").into());
    }
    Worker::list(&[name(*worker)])
}
