//! The sweep: the process dies at every named step of every worker, once, and is
//! started again. A step that it never reached is a violation like any other.
//!
//! All workers run in one process, which is armed with one step after the other.
//! Work of every kind keeps coming, so that each of them is met soon.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use broker::topology::REQUESTS;
use broker::{Outgoing, Published, Publisher};
use chrono::{Datelike, TimeDelta, TimeZone, Utc};
use sqlx::AssertSqlSafe;
use store::verify::verify;
use tokio::time::sleep;

use crate::calm::{Patience, drain};
use crate::checker::{self, Verdict};
use crate::driver::Driver;
use crate::fleet::Fleet;
use crate::scene::Scene;
use crate::servers::Servers;
use crate::{audience, upstream};

/// Workers whose steps need the clock to run far ahead, in the order in which they come after all others.
const LATE: &[&str] = &["reconcile", "deadlines", "alerts", "reminders", "expiry"];

/// One process that runs everything.
const ALONE: &[&[&str]] = &[&["all"]];

/// How often new work is given before a step counts as never reached.
const ROUNDS: usize = 20;

/// How long one round may take to bring the process to its step.
const ROUND: Duration = Duration::from_secs(4);

/// How long the end may take: a leg whose every send was killed is left to people,
/// when all of its queries are spent.
const PATIENCE: Patience = Patience::of(Duration::from_mins(5));

/// The pause between two looks.
const LOOK: Duration = Duration::from_millis(50);

/// What a sweep came to.
pub(crate) struct Swept {
    /// Steps at which it died.
    pub(crate) deaths: usize,
    pub(crate) verdict: Verdict,
    pub(crate) took: Duration,
}

/// Dies at every step of `points`.
///
/// # Errors
/// When something fails that is no part of the product.
pub(crate) async fn run(servers: &Servers, points: &[String], folder: &Path) -> Result<Swept> {
    let began = Instant::now();
    let scene = Scene::build(servers, folder).await.context("building the scene")?;
    audience::seat(&scene.connections).await?;
    let fleet = Fleet::launch(ALONE, scene.orders(None), &scene.time)?;
    let driver = Driver::new(&scene);
    let mut sweep = Sweep { scene, fleet, driver, accounts: 0, requests: 0, owed: Vec::new() };
    let (mut deaths, mut verdict) = (0, Verdict::default());
    for point in in_order(points) {
        sweep.fleet.kill(0, Some(&format!("{point}=1:kill"))).await?;
        if sweep.dies(point).await.with_context(|| format!("at {point}"))? {
            deaths += 1;
        } else {
            verdict.accuse("F01", format!("the step {point} was never reached"));
        }
        for it in verify(&sweep.scene.database, None, 2, sweep.scene.time.now()).await? {
            // What waits or goes untold for minutes waits for a process that we killed, or for a jump of the clock.
            if !["I14", "I21"].contains(&it.invariant.as_str()) {
                verdict.accuse(&it.invariant, format!("after {point}: {}: {}", it.subject, it.detail));
            }
        }
    }
    sweep.fleet.kill(0, None).await?;
    let Sweep { scene, mut fleet, mut driver, owed, .. } = sweep;
    driver.publish(owed).await?;
    let drained = drain(&scene, &mut fleet, &mut driver, PATIENCE).await?;
    fleet.land().await?;
    let end = checker::check(&scene, &driver.accepted).await?;
    verdict.violations.extend(end.violations.iter().cloned());
    if let Some(stuck) = drained.stuck {
        verdict.accuse("I12", stuck);
    }
    let verdict = Verdict { violations: verdict.violations, ..end };
    scene.strike().await?;
    Ok(Swept { deaths, verdict, took: began.elapsed() })
}

/// Steps that need the clock to run far ahead come last.
fn in_order(points: &[String]) -> Vec<&String> {
    let late = |it: &str| LATE.iter().position(|worker| it.split('.').next() == Some(worker));
    let mut points: Vec<&String> = points.iter().collect();
    points.sort_by_key(|it| late(it));
    points
}

struct Sweep {
    scene: Scene,
    fleet: Fleet,
    driver: Driver,
    accounts: usize,
    requests: usize,
    /// What must be said so that everything can end.
    owed: Vec<Outgoing>,
}

impl Sweep {
    /// Gives work until the process has died.
    async fn dies(&mut self, point: &str) -> Result<bool> {
        let (worker, _) = point.split_once('.').unwrap_or((point, ""));
        // Their work is done as the process starts, once time has passed.
        let at_start = matches!(worker, "reconcile" | "deadlines" | "alerts" | "reminders");
        if worker == "deadlines" {
            self.fleet.kill(0, None).await?;
            self.to_the_end_of_the_year()?;
            self.give_work(worker).await?;
            self.wait_for(
                "select count(*) from withdrawal where deadline_provisional and state = 'approved'",
            )
            .await?;
            self.fleet.kill(0, Some(&format!("{point}=1:kill"))).await?;
        }
        for _ in 0..ROUNDS {
            if !at_start {
                self.give_work(worker).await?;
            } else if worker != "deadlines" {
                self.let_time_pass(worker, point).await?;
            }
            let began = Instant::now();
            while began.elapsed() < ROUND {
                if self.fleet.has_died(0)? {
                    return Ok(true);
                }
                if !["expiry", "reminders"].contains(&worker) {
                    self.driver.review(&self.scene).await?;
                }
                sleep(LOOK).await;
                // Cut-offs, leases and schedules of queries pass.
                if !at_start {
                    self.scene.time.jump(TimeDelta::seconds(90))?;
                }
            }
        }
        Ok(false)
    }

    /// Gives work, and lets time pass before the process starts again with its step armed.
    async fn let_time_pass(&mut self, worker: &str, point: &str) -> Result<()> {
        self.fleet.kill(0, None).await?;
        self.give_work(worker).await?;
        let (there, later) = match worker {
            // A payout of the bank waits for its cut-off, and misses its deadline meanwhile.
            "alerts" => {
                ("select count(*) from leg where rail = 'bank' and state = 'scheduled'", TimeDelta::days(14))
            }
            // Nobody has decided about the large one, and its wait is almost over.
            "reminders" => (
                "select count(*) from withdrawal where state = 'pending_approval'",
                TimeDelta::hours(13 * 24 + 12),
            ),
            // A day with payments is over, and its statement is there.
            _ => ("select count(*) from leg where state = 'paid'", TimeDelta::days(2)),
        };
        self.wait_for(there).await?;
        self.scene.time.jump(later)?;
        self.fleet.kill(0, Some(&format!("{point}=1:kill"))).await
    }

    /// Work of every kind: small withdrawals, a large one, and what the worker needs besides.
    async fn give_work(&mut self, worker: &str) -> Result<()> {
        let at = self.scene.time.now();
        let first = self.accounts;
        let plan = upstream::Plan::of_accounts(first, upstream::LARGE_EVERY, at);
        self.accounts += upstream::LARGE_EVERY;
        self.scene.register(&plan.trades()).await?;
        self.driver.publish(plan.facts()).await?;
        let booked = format!("select count(*) >= {} from top_up", self.accounts * upstream::CHANNELS.len());
        self.wait_for(&booked).await?;
        let mut requests = Vec::new();
        for account in first..self.accounts {
            self.requests += 1;
            requests.push(upstream::request(account, self.requests, at));
        }
        self.driver.publish(requests).await?;
        match worker {
            "gaps" => {
                self.driver.publish(vec![upstream::update(first, 7, at)]).await?;
                self.owed.push(upstream::update(first, 6, at));
            }
            "holds" => {
                // The newest money of every fourth account came from a bank, and waits for a cut-off.
                let account = first.next_multiple_of(4);
                let decided = format!("select count(*) >= {} from withdrawal", self.requests);
                self.wait_for(&decided).await?;
                self.driver.publish(vec![upstream::invoice_on_everything(account, 6, at)]).await?;
                self.owed.push(upstream::invoice_is_paid(account, 7, at));
            }
            "parking" => {
                let unusable = Outgoing::work(REQUESTS, format!("unusable-{first}"), b"{}".to_vec());
                let publisher = Publisher::new(&self.scene.connections);
                ensure!(publisher.publish(unusable).await == Published::Confirmed, "it was not confirmed");
            }
            "expiry" => {
                // Nobody decides in time about the large one.
                self.wait_for("select count(*) from withdrawal where state = 'pending_approval'").await?;
                self.scene.time.jump(TimeDelta::days(15))?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Until the count is more than nothing, or the process has died, or a while has passed.
    async fn wait_for(&mut self, condition: &str) -> Result<()> {
        let began = Instant::now();
        let condition = format!("select ({condition})::integer::bigint");
        while began.elapsed() < ROUND && !self.fleet.has_died(0)? {
            let count: i64 = sqlx::query_scalar(AssertSqlSafe(condition.as_str()))
                .fetch_one(self.scene.database.pool())
                .await?;
            if count > 0 {
                break;
            }
            sleep(LOOK).await;
        }
        Ok(())
    }

    /// A deadline seven working days ahead lies in a year without a calendar then.
    fn to_the_end_of_the_year(&self) -> Result<()> {
        let now = self.scene.time.now();
        let end = Utc.with_ymd_and_hms(now.year(), 12, 29, 2, 0, 0).single().unwrap_or(now);
        self.scene.time.jump((end - now).max(TimeDelta::zero()))
    }
}
