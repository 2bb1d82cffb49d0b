//! Each worker alone, next to the cheapest program that promises the same.
//!
//! ```text
//! requests wait ─▶ intake ─▶ relay ─▶ approval ─▶ relay ─▶ payout ─▶ relay
//!                    one at a time, until nothing is left for it
//! ```
//!
//! What the pipeline does at once happens here one after another, so that each
//! step's own rate and cost can be seen, and which of them holds the whole back.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use clap::Args;
use tokio::time::sleep;
use workers::Clock;

use crate::floor;
use crate::meter::{cpu_ms, memory_kib};
use crate::programs::Program;
use crate::scene::{Notices, Scene, Signatures};
use crate::upstream;

/// How often a stage is asked whether it has ended, at most.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The asking, which counts rows, takes at most one in so many parts of the time.
const LOOK_PART: u32 = 50;

/// A stage that takes longer has failed.
const PATIENCE: Duration = Duration::from_mins(20);

/// What may be chosen.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How many requests go through the stages.
    #[arg(long, default_value_t = 5_000)]
    withdrawals: usize,
    /// Signs and verifies nothing at the simulator.
    #[arg(long)]
    unsigned: bool,
    /// How many accounts they draw on: one is as hot as an account can be. A fifth of them when left out.
    #[arg(long)]
    accounts: Option<usize>,
    /// Ends after this worker's first turn.
    #[arg(long)]
    until: Option<String>,
}

/// A worker that has the machine to itself.
struct Stage {
    worker: &'static str,
    /// What it deals with, and how many of them there are.
    unit: &'static str,
    count: &'static str,
    /// How many of them are left.
    left: &'static str,
}

const RELAY: Stage = Stage {
    worker: "relay",
    unit: "message",
    count: "select count(*) from outbox where published_at is null",
    left: "select count(*) from outbox where published_at is null",
};

/// In the order in which a withdrawal meets them.
const STAGES: &[Stage] = &[
    Stage {
        worker: "intake",
        unit: "request",
        count: "select {n}::bigint",
        left: "select {n} - count(*) from withdrawal",
    },
    RELAY,
    Stage {
        worker: "approval",
        unit: "withdrawal",
        count: "select {n}::bigint",
        left: "select count(*) from withdrawal where state = 'pending_approval'",
    },
    RELAY,
    Stage {
        worker: "payout",
        unit: "call",
        count: "select count(*) from leg where state = 'scheduled'",
        left: "select count(*) from leg where state in ('scheduled', 'dispatching')",
    },
    RELAY,
];

/// What a stage came to.
struct Line {
    worker: &'static str,
    unit: &'static str,
    count: u64,
    took: Duration,
    /// Processor time of the worker, of PostgreSQL and of RabbitMQ.
    cpu_ms: [u64; 3],
    /// The most memory that the worker had.
    memory_kib: u64,
    commits: u64,
    /// The same commits with as many plain rows.
    bare_commits: Duration,
    /// The same messages published, or taken, and nothing else.
    bare_messages: Duration,
}

/// Prepares everything, lets each worker have its turn, and prints what came of it.
///
/// # Errors
/// When a server does not start, or a stage does not end.
pub(crate) async fn run(options: &Options) -> Result<()> {
    let signatures = if options.unsigned { Signatures::Unchecked } else { Signatures::Real };
    let scene = Scene::build(signatures, Notices::None).await?;
    let lines = measure(&scene, options).await;
    scene.strike().await?;
    println!(
        "\n{:<10}{:>16}{:>10}{:>8}{:>8}{:>10}{:>12}{:>10}{:>10}{:>14}{:>14}",
        "worker",
        "",
        "each/s",
        "MiB",
        "µs",
        "PG µs",
        "broker µs",
        "commits",
        "each",
        "× bare rows",
        "× bare queue"
    );
    for line in lines? {
        println!("{line}");
    }
    println!(
        "\n× bare: how often the same commits with plain rows, or the same messages, fit into that time"
    );
    Ok(())
}

async fn measure(scene: &Scene, options: &Options) -> Result<Vec<Line>> {
    let withdrawals = options.withdrawals;
    let plan = upstream::Plan::of(withdrawals, Clock::System.now());
    let plan = match options.accounts {
        Some(accounts) => plan.out_of(accounts),
        None => plan,
    };
    scene.tell_facts(&plan, PATIENCE).await?;
    scene.publish(plan.requests()).await?;
    println!("✓ {withdrawals} requests wait in their queue");
    let mut lines = Vec::with_capacity(STAGES.len());
    for stage in STAGES {
        lines.push(stage.measure(scene, withdrawals).await?);
        if options.until.as_deref() == Some(stage.worker) {
            break;
        }
    }
    Ok(lines)
}

impl Stage {
    async fn measure(&self, scene: &Scene, withdrawals: usize) -> Result<Line> {
        let count = scene.count(self.count, withdrawals).await?;
        let before = scene.written().await?;
        let pids = || [scene.postgres_pids(), scene.rabbitmq_pids()].map(|pids| cpu_ms(&pids));
        let servers = pids();
        let worker = Program::outflow(&scene.settings_file(), &["run", self.worker]).start()?;
        let began = Instant::now();
        let mut memory = 0;
        loop {
            let asked = Instant::now();
            if scene.count(self.left, withdrawals).await? == 0 {
                break;
            }
            memory = memory.max(memory_kib(&[worker.pid()]));
            ensure!(began.elapsed() < PATIENCE, "the stage {} does not end", self.worker);
            sleep(LOOK_EVERY.max(asked.elapsed() * LOOK_PART)).await;
        }
        let (took, own) = (began.elapsed(), cpu_ms(&[worker.pid()]));
        let after = pids();
        worker.stop().await?;
        let written = scene.written().await?.since(before);
        let bare_commits = floor::commits(scene.database_url(), written.commits, written.rows).await?;
        let (publishing, taking) = floor::messages(&scene.connections, usize::try_from(count)?).await?;
        Ok(Line {
            worker: self.worker,
            unit: self.unit,
            count,
            took,
            cpu_ms: [own, after[0] - servers[0], after[1] - servers[1]],
            memory_kib: memory,
            commits: written.commits,
            bare_commits,
            bare_messages: if self.worker == RELAY.worker { publishing } else { taking },
        })
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.count.max(1);
        let [own, postgres, rabbitmq] = self.cpu_ms.map(|ms| ms * 1_000 / count);
        let rate = u128::from(count) * 1_000 / self.took.as_millis().max(1);
        let times = |floor: Duration| {
            let tenths = self.took.as_micros() * 10 / floor.as_micros().max(1);
            format!("{}.{}", tenths / 10, tenths % 10)
        };
        write!(
            f,
            "{:<10}{:>16}{rate:>10}{:>8}{own:>8}{postgres:>10}{rabbitmq:>12}{:>10}{:>10}{:>14}{:>14}",
            self.worker,
            format!("{count} {}s", self.unit),
            self.memory_kib / 1024,
            self.commits,
            count / self.commits.max(1),
            times(self.bare_commits),
            times(self.bare_messages),
        )
    }
}
