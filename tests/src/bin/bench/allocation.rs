//! What a request costs by the length of its account's history.
//!
//! ```text
//! accounts of 10, 1,000, … top-ups │ batches of requests through the real intake │ old withdrawals │ the same again
//! ```
//!
//! Every request touches three slices, every batch one account, whatever its
//! history. The sizes take turns, so that whatever else the machine does meets
//! them all alike.

mod load;
mod meter;
mod report;

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use broker::contract::{Envelope, Stamp, WithdrawalRequested};
use chrono::{DateTime, Utc};
use clap::Args;
use devstack::{Environment, Servers, Stack};
use domain::Policy;
use secrecy::SecretBox;
use serde_json::json;
use store::verify::{INVARIANTS, verify};
use store::{Database, Vault, VaultKey};
use workers::Clock;
use workers::intake::{self, Rules};
use workers::verification::Proofs;

use self::load::Loader;
use self::meter::Meter;
use self::report::{Cost, Report};

/// Requests of one batch: together they take nearly all of ten slices.
const REQUESTS: usize = 3;

/// What each asks for. Slices hold 1.00, so it touches three of them, always.
const AMOUNT: &str = "2.50";

/// Slices that one batch uses up, rounded upwards.
const SLICES: usize = 8;

/// Batches of one size before the next size has its turn.
const TURN: usize = 20;

/// Batches of each size before anything is measured: plans and pages are warm then.
const WARM_UP: usize = 10;

/// More top-ups and old withdrawals than this make asking every invariant longer than a statement may take.
const VERIFIED: i64 = 300_000;

/// What may be chosen.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Top-ups of an account, from the shortest history to the longest
    #[arg(long, value_delimiter = ',', default_values_t = [10, 1_000, 100_000, 1_000_000])]
    top_ups: Vec<usize>,
    /// Batches of three requests for each history
    #[arg(long, default_value_t = 200)]
    batches: usize,
    /// Finished withdrawals in the tables when everything is measured again
    #[arg(long, default_value_t = 200_000)]
    old_withdrawals: i64,
}

/// Prepares everything, measures, and prints what came of it.
///
/// # Errors
/// When the server does not start, a request is not decided as it should be, an
/// invariant is broken, or a long history costs more than it may.
pub(crate) async fn run(options: &Options) -> Result<()> {
    ensure!(options.top_ups.iter().all(|it| *it >= 10), "a batch needs ten top-ups");
    let options_of_stack = devstack::Options {
        environment: Environment::Ignored,
        servers: Servers::PostgresOnly,
        ..devstack::Options::default()
    };
    let stack = Stack::start(options_of_stack.reporting_to(|line| println!("{line}"))).await?;
    // One connection: whoever measures the server's time has one process to look at.
    let database = Database::connect(stack.database_url(), 1).await?;
    database.migrate().await?;
    let result = Bench { stack: &stack, database: database.clone(), options }.run().await;
    database.close().await;
    stack.stop().await?;
    result
}

struct Bench<'a> {
    stack: &'a Stack,
    database: Database,
    options: &'a Options,
}

impl Bench<'_> {
    async fn run(&self) -> Result<()> {
        let loader = Loader::new(&self.database);
        let mut histories = Vec::new();
        for size in &self.options.top_ups {
            let accounts = self.accounts_of(*size);
            let began = Instant::now();
            loader.accounts(*size, accounts).await.context("loading top-ups")?;
            println!("✓ {accounts} accounts of {size} top-ups ({:.1} s)", began.elapsed().as_secs_f64());
            histories.push(History { size: *size, batches: 0 });
        }
        loader.settle().await?;
        let fresh = self.measure(&mut histories).await?;
        let plans = loader.plans(&self.options.top_ups).await?;
        let began = Instant::now();
        loader.old_withdrawals(self.options.old_withdrawals).await.context("loading old withdrawals")?;
        loader.settle().await?;
        let old = self.options.old_withdrawals;
        println!("✓ {old} old withdrawals ({:.1} s)", began.elapsed().as_secs_f64());
        let aged = self.measure(&mut histories).await?;
        let invariants = self.verify().await?;
        let report = Report { fresh, aged, plans, old, invariants };
        print!("{report}");
        report.verdict()
    }

    /// Accounts of one size that all batches together need.
    fn accounts_of(&self, size: usize) -> usize {
        let batches = 2 * (WARM_UP + self.options.batches.next_multiple_of(TURN));
        batches.div_ceil(size / SLICES)
    }

    /// One measurement: the sizes take turns.
    async fn measure(&self, histories: &mut [History]) -> Result<Vec<Cost>> {
        let rules = rules();
        for history in histories.iter_mut() {
            self.batches(history, WARM_UP, &rules).await?;
        }
        let mut costs: Vec<Cost> = histories.iter().map(|it| Cost::of(it.size)).collect();
        let mut done = 0;
        while done < self.options.batches {
            for (history, cost) in histories.iter_mut().zip(&mut costs) {
                let pids = || self.stack.postgres().map(devstack::Postgres::pids).unwrap_or_default();
                let (meter, began) = (Meter::start(&pids()), Instant::now());
                self.batches(history, TURN, &rules).await?;
                cost.wall += began.elapsed();
                cost.server += meter.stop(&pids());
                cost.requests += TURN * REQUESTS;
            }
            done += TURN;
        }
        Ok(costs)
    }

    /// So many batches through the real intake, each of one account.
    async fn batches(&self, history: &mut History, count: usize, rules: &Rules) -> Result<()> {
        let at = Clock::System.now();
        for _ in 0..count {
            let asks = history.next_batch(at)?;
            let tally = intake::admit(&self.database, rules, &asks, at).await?;
            ensure!(tally.accepted == REQUESTS, "the intake accepted {} of {REQUESTS}", tally.accepted);
        }
        Ok(())
    }

    /// Asks every invariant, where that ends within a statement's time.
    async fn verify(&self) -> Result<Option<usize>> {
        let top_ups: usize = self.options.top_ups.iter().sum();
        if i64::try_from(top_ups)? + self.options.old_withdrawals > VERIFIED {
            return Ok(None);
        }
        let violations = verify(&self.database, None, 1, Clock::System.now()).await?;
        // Nothing relays events here, and old ones are not kept: the outbox is no part of this.
        let broken: Vec<String> = violations
            .iter()
            .filter(|it| it.invariant != "I14" && it.invariant != "I15")
            .take(5)
            .map(|it| format!("{} {}: {}", it.invariant, it.subject, it.detail))
            .collect();
        ensure!(broken.is_empty(), "the books are broken:\n{}", broken.join("\n"));
        Ok(Some(INVARIANTS.len() - 2))
    }
}

/// Accounts of one size, and how far they are used up.
struct History {
    size: usize,
    batches: usize,
}

impl History {
    /// The next requests, all of one account that has the slices for them.
    fn next_batch(&mut self, at: DateTime<Utc>) -> Result<Vec<Envelope<WithdrawalRequested>>> {
        let account = load::account_name(self.size, self.batches / (self.size / SLICES));
        let (size, batch) = (self.size, self.batches);
        self.batches += 1;
        let ask = |place: usize| {
            let data: WithdrawalRequested = serde_json::from_value(json!({
                "account_id": account, "amount": AMOUNT, "currency": "CNY", "route": "source",
                "requester": "customer", "requested_at": at,
            }))?;
            let stamp = Stamp {
                source: "/bench".parse().expect("a source"),
                id: format!("{size}-{batch}-{place}").parse().expect("an id"),
                time: at,
            };
            Ok(data.into_message(stamp))
        };
        (0..REQUESTS).map(ask).collect()
    }
}

fn rules() -> Rules {
    let key = |byte| SecretBox::new(Box::new([byte; 32]));
    let vault = Vault::new(&[VaultKey { id: "bench".to_owned(), bytes: key(1) }], &key(2));
    Rules {
        policy: Policy { max_open_withdrawals: i32::MAX, ..Policy::default() },
        proofs: Proofs::Off,
        vault: vault.expect("a ring with a key"),
    }
}
