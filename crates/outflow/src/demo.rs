//! `outflow demo`: the whole product at work, on servers of its own.
//!
//! ```text
//! stage ─▶ cast (facts) ─▶ stories (requests) ─▶ script (people, invoices, days) ─▶ curtain (proof)
//!              └──────── RabbitMQ, as an upstream would ────────┘        ▲
//!                               audience (an audit queue of its own) ────┘
//! ```
//!
//! Nothing here reaches into the product: messages go in through its queues,
//! and what came of them is read from its events, its rows and the gateways'
//! own book. Time is the manual clock that workers and simulator share. It
//! jumps to the next thing that is due, so seventeen days pass in seconds.

mod audience;
mod cast;
mod curtain;
mod days;
mod letters;
mod narrator;
mod observer;
mod script;
mod stories;

use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Instant;

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use devstack::Install;
use simulator::SimClock;
use tokio_util::sync::CancellationToken;
use workers::Clock;

use crate::cli::Demo;
use crate::exit::{Exit, Failure};
use crate::interrupt::stop_on_signal;
use crate::stage::{Plan, Proof, Stage};
use crate::wiring::{Wiring, Worker};

/// When the story begins: a Wednesday before two holidays.
const OPENING: &str = "2026-09-23T09:30:00+08:00";

/// Runs the demo.
///
/// # Errors
/// When a server is missing, a story ended otherwise than told, or an invariant
/// is broken.
pub(crate) async fn run(arguments: Demo) -> Result<()> {
    let began = Instant::now();
    let stop = stop_on_signal()?;
    let opening: DateTime<Utc> = OPENING.parse().expect("the opening is a moment");
    let hands = Arc::new(AtomicI64::new(opening.timestamp_millis()));
    let plan = Plan {
        install: if arguments.no_install { Install::Never } else { Install::WhenMissing },
        clock: SimClock::Manual(Arc::clone(&hands)),
        proof: Proof::Required,
        say: |line| narrator::say(&format!("  {line}")),
    };
    narrator::title(
        "Outflow: withdrawals in, money out. Everything below is real: PostgreSQL, RabbitMQ, HTTP, signatures.",
    );
    let stage = tokio::select! {
        stage = Stage::build(&plan) => stage?,
        () = stop.cancelled() => return Err(interrupted()),
    };
    let clock = Clock::Manual(hands);
    let result = play(&stage, &clock, (arguments.seed, &stop)).await;
    stage.strike().await.context("ending the servers")?;
    let verdict = result?;
    narrator::farewell(&verdict, began.elapsed());
    verdict.into_result()
}

/// Plays all stories on a stage, with every worker in this process.
async fn play(
    stage: &Stage,
    clock: &Clock,
    (seed, asked_to_stop): (u64, &CancellationToken),
) -> Result<curtain::Verdict> {
    let mut wiring = Wiring::connect(&stage.settings, "outflow demo").await?;
    wiring.clock = clock.clone();
    wiring.api_door = stage.door();
    let database = wiring.database.clone();
    let audience = audience::Audience::seat(&wiring.connections).await?;
    let stop = asked_to_stop.child_token();
    let workers = [Worker::all(), vec![Worker::Api]].concat();
    narrator::say(&format!(
        "  ✓ workers: {} in this process, on a clock that stands at {}",
        workers.len(),
        narrator::time(clock.now())
    ));
    let running = tokio::spawn({
        let (wiring, stop) = (wiring.clone(), stop.clone());
        async move { wiring.run(&workers, stop).await }
    });
    let mut troupe = script::Troupe::new(stage, wiring, audience, seed);
    let verdict = tokio::select! {
        biased;
        () = asked_to_stop.cancelled() => Err(interrupted()),
        ended = running_ended(&stop) => ended,
        verdict = perform(&mut troupe) => verdict,
    };
    troupe.leave().await;
    stop.cancel();
    let ended = running.await.context("the workers broke down")?;
    database.close().await;
    // What the workers said explains what the stories missed.
    ended.context("a worker ended early")?;
    verdict
}

fn interrupted() -> anyhow::Error {
    Failure::new(Exit::Interrupted, "the demo was interrupted; its servers are gone", "outflow demo").into()
}

/// Plays, and judges what came of it.
async fn perform(troupe: &mut script::Troupe<'_>) -> Result<curtain::Verdict> {
    troupe.perform().await?;
    curtain::judge(troupe).await
}

/// Ends when the workers end before the stories do.
async fn running_ended(stop: &CancellationToken) -> Result<curtain::Verdict> {
    stop.cancelled().await;
    Err(anyhow::anyhow!("a worker ended before the stories did"))
}
