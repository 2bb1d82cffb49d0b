//! How many withdrawals a second go from a request to money in the source account.
//!
//! ```text
//! facts ▸ applied │ requests ▸ wait in their queue │ workers start ▸ … ▸ last event
//!                                                  └──────── measured ────────┘
//! ```
//!
//! At the end every invariant of the books is asked, with the simulator's own
//! book as evidence: a fast run that pays twice is no result.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Args;
use store::verify::{INVARIANTS, verify};
use tokio::time::{MissedTickBehavior, interval};
use workers::Clock;

use crate::audience::{Audience, Heard};
use crate::floor;
use crate::meter::Meter;
use crate::paced;
use crate::programs::{Program, Running};
use crate::report::{Bare, Books, Report};
use crate::scene::{Notices, Scene, Signatures};
use crate::signing::Floor;
use crate::upstream;

/// How often memory is looked at: it costs the measured processes a little.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A run in which nothing is completed for so long has failed.
const PATIENCE: Duration = Duration::from_mins(2);

/// Bare signatures that are timed before the run.
const RSA_ROUNDS: usize = 1_000;

/// What may be chosen.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How many requests wait when the workers start.
    #[arg(long, default_value_t = 10_000)]
    withdrawals: usize,
    /// Signs and verifies nothing at the simulator: what remains is ours to answer for.
    #[arg(long)]
    unsigned: bool,
    /// Has WeChat Pay and UnionPay send their notices, as they do where an address is given: each is one more
    /// signature there, and settle asks at once instead of after the second that UnionPay's rules want.
    #[arg(long)]
    notices: bool,
    /// How many more requests then come at half the rate that was reached, for the latency of each.
    #[arg(long, default_value_t = 2_000)]
    paced: usize,
}

/// Prepares everything, measures, and prints what came of it.
///
/// # Errors
/// When a server does not start, a withdrawal does not end as it should, or an
/// invariant is broken.
pub(crate) async fn run(options: &Options) -> Result<()> {
    let signatures = if options.unsigned { Signatures::Unchecked } else { Signatures::Real };
    let notices = if options.notices { Notices::Sent } else { Notices::None };
    let scene = Scene::build(signatures, notices).await?;
    let result = measure(&scene, options).await;
    scene.strike().await?;
    print!("{}", result?);
    Ok(())
}

async fn measure(scene: &Scene, options: &Options) -> Result<Report> {
    let withdrawals = options.withdrawals;
    let rsa = (!options.unsigned).then(|| Floor::measure(&scene.keys(), RSA_ROUNDS)).transpose()?;
    let plan = upstream::Plan::of(withdrawals + options.paced, Clock::System.now());
    scene.tell_facts(&plan, PATIENCE).await?;
    let began = Instant::now();
    scene.publish(plan.requests().take(withdrawals)).await.context("publishing the requests")?;
    println!("✓ {withdrawals} requests wait in their queue ({:.1} s)", began.elapsed().as_secs_f64());

    let mut audience = Audience::seat(&scene.connections).await?;
    let before = scene.written().await?;
    let mut product = vec![Program::outflow(&scene.settings_file(), &["run", "all"]).start()?];
    if options.notices {
        product.push(Program::outflow(&scene.settings_file(), &["run", "api"]).start()?);
    }
    let mut meter = Meter::start(scene, product.iter().map(Running::pid).collect());
    let heard = listen(&mut audience, &mut meter, withdrawals).await;
    let usage = meter.stop();
    let heard = heard?;
    let written = scene.written().await?.since(before);
    let messages = withdrawals + usize::try_from(scene.count("select count(*) from outbox", 0).await?)?;
    let first_taken = scene.first_taken().await?;
    let legs = scene.legs().await?;
    let calls = scene.calls().await?;
    let latency = if options.paced > 0 {
        let rate = (heard.rate(first_taken) / 2).max(1);
        let rest = plan.requests().skip(withdrawals).collect();
        Some(paced::measure(scene, &mut audience, rest, rate).await?)
    } else {
        None
    };
    for program in product {
        program.stop().await?;
    }
    let books = check(scene).await?;
    let servers = scene.servers().await?;
    let (commits, rows) = (written.commits, written.rows);
    let writing = floor::commits(scene.database_url(), commits, rows).await?;
    let (publishing, taking) = floor::messages(&scene.connections, messages).await?;
    let bare = Bare { commits, rows, writing, messages, carrying: publishing + taking };
    Ok(Report { withdrawals, legs, calls, heard, first_taken, usage, latency, rsa, bare, books, servers })
}

/// Listens until every withdrawal has ended.
async fn listen(audience: &mut Audience, meter: &mut Meter<'_>, withdrawals: usize) -> Result<Heard> {
    let mut heard = Heard::default();
    let mut looks = interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut progress = (0, Instant::now());
    while heard.completed.len() < withdrawals {
        tokio::select! {
            event = audience.next() => heard.note(&event?)?,
            _ = looks.tick() => {
                meter.look();
                if heard.completed.len() > progress.0 {
                    progress = (heard.completed.len(), Instant::now());
                }
                ensure!(
                    progress.1.elapsed() < PATIENCE,
                    "nothing was completed for {} s, with {} of {withdrawals} done",
                    PATIENCE.as_secs(),
                    progress.0
                );
            }
        }
    }
    meter.look();
    Ok(heard)
}

/// Asks every invariant, with the simulator's own book as evidence.
async fn check(scene: &Scene) -> Result<Books> {
    let movements = scene.movements().await?;
    let violations = verify(&scene.database, Some(&movements), 2, Clock::System.now()).await?;
    let shown: Vec<String> = violations
        .iter()
        .take(10)
        .map(|it| format!("{} {}: {}", it.invariant, it.subject, it.detail))
        .collect();
    ensure!(shown.is_empty(), "{} violations of the invariants:\n{}", violations.len(), shown.join("\n"));
    Ok(Books { invariants: INVARIANTS.len(), movements: movements.len() })
}
