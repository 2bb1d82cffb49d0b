//! The storm: everything goes wrong while money is asked for; then calm, in which
//! everything must end.
//!
//! ```text
//! facts, reordered and repeated │ requests, step by step, with the plan's accidents │ calm: drain │ check
//!                               └────────── nothing may break ─────────────────────┘ └ 60 s ┘
//! ```

mod accidents;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use broker::Outgoing;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use serde_json::json;
use tokio::time::sleep;

use crate::audience;
use crate::calm::{Patience, drain};
use crate::checker::{self, Verdict};
use crate::driver::Driver;
use crate::fleet::{CREW, Fleet};
use crate::mix;
use crate::plan::{Plan, Size};
use crate::scene::Scene;
use crate::servers::Servers;
use crate::upstream;

/// How long the facts may take, before anything goes wrong.
const FACTS: Duration = Duration::from_mins(5);

/// The pause between two looks.
const LOOK: Duration = Duration::from_millis(250);

/// The shortest time that a step of the storm takes.
const STEP: Duration = Duration::from_millis(200);

/// Planned: top-ups that a gateway treats so; happened: payments that it did.
const TREATED: &str = "payments so treated";

/// One of ten messages is published twice.
const TWICE: u32 = 10;

/// A storm that goes on.
pub(crate) struct Storm<'a> {
    pub(crate) servers: &'a Servers,
    pub(crate) scene: Scene,
    pub(crate) fleet: Fleet,
    pub(crate) driver: Driver,
    /// How often each fault happened.
    pub(crate) counts: Counts,
    trace: File,
    began: Instant,
}

/// What a storm came to.
pub(crate) struct Outcome {
    pub(crate) size: Size,
    pub(crate) verdict: Verdict,
    /// How many of each fault were planned.
    pub(crate) planned: Counts,
    pub(crate) counts: Counts,
    /// Processes that gave up because a server was away, and were started again.
    pub(crate) restarted: u64,
    pub(crate) took: Duration,
    pub(crate) drained: Duration,
}

/// Runs a storm of that size in `folder`.
///
/// # Errors
/// When something fails that is no part of the product.
pub(crate) async fn run(servers: &Servers, size: &Size, points: &[String], folder: &Path) -> Result<Outcome> {
    let began = Instant::now();
    let scene = Scene::build(servers, folder).await.context("building the scene")?;
    audience::seat(&scene.connections).await?;
    scene.play(&mix::scenario(size.seed)).await?;
    let plan = Plan::draw(size, points);
    let upstream = upstream::Plan::of(size.withdrawals, size.seed, scene.time.now());
    plan.write(&upstream, &folder.join("plan.json"))?;
    let fleet = Fleet::launch(CREW, scene.orders(None), &scene.time)?;
    let mut driver = Driver::new(&scene);
    driver.call(&scene).await?;
    let trace = File::create(folder.join("trace.jsonl"))?;
    let mut storm = Storm { servers, scene, fleet, driver, counts: BTreeMap::new(), trace, began };
    storm.tell_facts(&upstream, size.seed).await.context("telling the facts")?;
    storm.rage(&plan, &upstream, size.seed).await.context("in the storm")?;
    storm.note(&"calm")?;
    let Storm { scene, mut fleet, mut driver, mut counts, mut trace, .. } = storm;
    let calm = Duration::from_secs(size.calm_seconds);
    let drained = drain(&scene, &mut fleet, &mut driver, Patience::of(calm)).await.context("in the calm")?;
    counts.insert(("F01", "killed at a named step"), fleet.died());
    let (restarted, ended) = (fleet.restarted(), fleet.take_ended());
    fleet.land().await?;
    let mut verdict = checker::check(&scene, &driver.accepted).await?;
    if let Some(rejected) = verdict.ends.get("rejected") {
        verdict.accuse("I10", format!("{rejected} requests were refused, and each was in order"));
    }
    if let Some(stuck) = drained.stuck {
        verdict.accuse("I12", format!("after {} s of calm: {stuck}", size.calm_seconds));
    }
    *counts.entry(("F14", "published again, as its confirm was lost")).or_default() += driver.duplicates;
    let mut planned = plan.counts();
    tally(&scene, &upstream, (&mut planned, &mut counts)).await?;
    let end = json!({ "ms": began.elapsed().as_millis(), "what": {
        "calm_ms": drained.took.as_millis(), "ended_in_the_calm": ended,
        "ends": verdict.ends, "violations": verdict.violations,
    }});
    writeln!(trace, "{end}").context("writing the trace")?;
    scene.strike().await?;
    Ok(Outcome {
        size: size.clone(),
        verdict,
        planned,
        counts,
        restarted,
        took: began.elapsed(),
        drained: drained.took,
    })
}

/// How often each fault happened, or was to happen.
type Counts = BTreeMap<(&'static str, &'static str), u64>;

/// Counts the top-ups that gateways treat in some way, and the payments that they did treat so.
async fn tally(
    scene: &Scene,
    upstream: &upstream::Plan,
    (planned, counts): (&mut Counts, &mut Counts),
) -> Result<()> {
    let dealt: BTreeMap<&str, &'static str> =
        upstream.dealt().into_iter().map(|(id, fault, _)| (id, fault)).collect();
    for fault in dealt.values() {
        *planned.entry((fault, TREATED)).or_default() += 1;
    }
    let ask = "select top_up_upstream_id from leg where attempts > 0";
    let paid: Vec<String> = sqlx::query_scalar(ask).fetch_all(scene.database.pool()).await?;
    for fault in paid.iter().filter_map(|it| dealt.get(it.as_str())) {
        *counts.entry((fault, TREATED)).or_default() += 1;
    }
    Ok(())
}

impl Storm<'_> {
    /// Notes what happens, with the time since the beginning.
    pub(crate) fn note(&mut self, what: &impl serde::Serialize) -> Result<()> {
        let line = json!({ "ms": self.began.elapsed().as_millis(), "what": what });
        writeln!(self.trace, "{line}").context("writing the trace")
    }

    /// Accounts and their money: in no order, and some of it twice.
    async fn tell_facts(&mut self, upstream: &upstream::Plan, seed: u64) -> Result<()> {
        let mut dice = StdRng::seed_from_u64(seed);
        self.scene.register(&upstream.trades()).await?;
        let facts = upstream.facts();
        let once = facts.len();
        let mut facts = twice(facts, &mut dice);
        self.count_twice(once, &facts);
        *self.counts.entry(("F15", "facts out of their order")).or_default() += facts.len() as u64;
        facts.shuffle(&mut dice);
        self.driver.publish(facts).await?;
        let began = Instant::now();
        loop {
            let booked: i64 = sqlx::query_scalar("select count(*) from top_up")
                .fetch_one(self.scene.database.pool())
                .await?;
            if usize::try_from(booked)? >= upstream.top_ups() {
                println!("  {booked} top-ups are booked ({:.1} s)", began.elapsed().as_secs_f64());
                return Ok(());
            }
            ensure!(began.elapsed() < FACTS, "{booked} of {} top-ups were booked", upstream.top_ups());
            self.fleet.revive()?;
            sleep(LOOK).await;
        }
    }

    /// Counts the messages that are published twice on purpose.
    fn count_twice(&mut self, once: usize, all: &[Outgoing]) {
        *self.counts.entry(("F14", "message published twice")).or_default() += (all.len() - once) as u64;
    }

    /// The steps of the plan, each with its share of the requests.
    async fn rage(&mut self, plan: &Plan, upstream: &upstream::Plan, seed: u64) -> Result<()> {
        let mut dice = StdRng::seed_from_u64(seed ^ 1);
        let requests = upstream.requests();
        let once = requests.len();
        let messages = twice(requests, &mut dice);
        self.count_twice(once, &messages);
        let share = messages.len().div_ceil(plan.steps.len()).max(1);
        let mut shares = messages.chunks(share);
        for (place, faults) in plan.steps.iter().enumerate() {
            let began = Instant::now();
            if let Some(share) = shares.next() {
                self.driver.publish(share.to_vec()).await?;
            }
            for fault in faults {
                self.note(fault)?;
                self.strike(fault).await.with_context(|| format!("{fault:?}"))?;
                self.note(&json!({ "over": fault.name().0 }))?;
            }
            self.scene.revive_api().await?;
            self.fleet.revive()?;
            for ended in self.fleet.take_ended() {
                self.note(&ended)?;
            }
            self.driver.review(&self.scene).await?;
            sleep(STEP.saturating_sub(began.elapsed())).await;
            self.report(place, plan.steps.len()).await;
        }
        Ok(())
    }

    /// A line of progress, now and then.
    async fn report(&self, place: usize, steps: usize) {
        if !(place + 1).is_multiple_of((steps / 10).max(1)) {
            return;
        }
        let count = "select count(*) from withdrawal where state = 'completed'";
        let completed: i64 =
            sqlx::query_scalar(count).fetch_one(self.scene.database.pool()).await.unwrap_or(-1);
        let seconds = self.began.elapsed().as_secs();
        println!("  {seconds:>4} s: step {} of {steps}, {completed} withdrawals completed", place + 1);
    }
}

/// Some of the messages twice, side by side.
fn twice(messages: Vec<Outgoing>, dice: &mut StdRng) -> Vec<Outgoing> {
    let mut all = Vec::with_capacity(messages.len());
    for message in messages {
        if dice.random_range(0..TWICE) == 0 {
            all.push(message.clone());
        }
        all.push(message);
    }
    all
}
