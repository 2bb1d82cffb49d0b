//! `outflow run`: one worker, or all of them, until told to stop.

use anyhow::{Context, Result};
use domain::Rail;
use strum::IntoEnumIterator;
use tokio::net::TcpListener;
use tracing::info;

use crate::cli::{General, Run};
use crate::exit::{Exit, Failure};
use crate::interrupt::stop_on_signal;
use crate::settings::Settings;
use crate::wiring::{Wiring, Word, Worker};

/// Runs until Ctrl-C or SIGTERM, and then finishes what is in hand.
///
/// # Errors
/// When a setting is wrong, or a worker cannot go on.
pub(crate) async fn run(general: &General, arguments: &Run) -> Result<()> {
    let rails = rails(arguments)?;
    let workers = arguments.worker.workers();
    let settings = Settings::load(general.config.as_deref())?;
    let collector = settings.collector()?;
    #[cfg(feature = "otlp")]
    let _flushed_at_the_end =
        collector.map(|it| crate::otlp::start(&it, &crate::otlp::COLLECTOR)).transpose()?;
    #[cfg(not(feature = "otlp"))]
    debug_assert!(collector.is_none(), "such a build refuses the setting");
    let stop = stop_on_signal()?;
    let mut wiring = Wiring::connect(&settings, &format!("outflow {}", arguments.worker.name())).await?;
    wiring.rails = rails;
    if let Some(address) = arguments.probe {
        let listener = TcpListener::bind(address).await;
        let listener =
            listener.with_context(|| format!("the probes cannot listen on {address}; set --probe"))?;
        tokio::spawn(api::probe(listener, wiring.database.clone(), stop.clone()));
    }
    info!(workers = workers.len(), "Running; Ctrl-C finishes what is in hand and ends");
    wiring.run(&workers, stop).await
}

/// The rails that the command line names for the payout worker; all when it names none.
fn rails(Run { worker, rail, .. }: &Run) -> Result<Vec<Rail>> {
    if rail.is_empty() {
        return Ok(Rail::iter().collect());
    }
    if *worker == Word::One(Worker::Payout) {
        return Ok(rail.iter().map(|it| (*it).into()).collect());
    }
    let what = format!("--rail belongs to `run payout`, not to `run {}`", worker.name());
    Err(Failure::new(Exit::Usage, what, "leave --rail out, or run payout").into())
}
