//! Negative controls: bugs that cost others their money, planted one at a time.
//!
//! A checker that lets one of them pass proves nothing about the product, so a
//! control that is not caught fails the run.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::time::sleep;

use crate::calm::{Patience, drain};
use crate::checker::{self, Verdict};
use crate::driver::Driver;
use crate::fleet::Fleet;
use crate::scene::Scene;
use crate::servers::Servers;
use crate::{audience, mix, upstream};

/// Requests of each control.
const WITHDRAWALS: usize = 40;

/// How long a control may take to end; with a bug it may never, and stands still.
const PATIENCE: Patience = Patience { whole: Duration::from_mins(2), still: Duration::from_secs(10) };

/// How long the step may take at which a process dies.
const DEATH: Duration = Duration::from_mins(2);

/// Those who work; the place of the one that dies is its place here.
const CREW: &[&[&str]] = &[
    &["intake"],
    &["payout", "--rail", "unionpay"],
    &["payout", "--rail", "alipay"],
    &["facts"],
    &["approval"],
    &["release"],
    &["settle"],
    &["relay"],
    &["decisions"],
];

/// Passes in which the relay sleeps before it publishes.
const SLEEPS: &str = "relay.claimed=2:sleep,relay.claimed=3:sleep,relay.claimed=4:sleep,relay.claimed=5:sleep,relay.claimed=6:sleep";

/// A planted bug.
pub(crate) struct Control {
    /// Its name in the product's source.
    pub(crate) bug: &'static str,
    /// What it is.
    pub(crate) what: &'static str,
    /// Which invariants must notice it.
    invariants: &'static [&'static str],
    /// Who is armed with what; a death is waited for.
    armed: Option<(usize, &'static str)>,
    /// What the gateways do.
    scenario: fn() -> String,
}

/// All of them.
pub(crate) const CONTROLS: &[Control] = &[
    Control {
        bug: "ack-first",
        what: "acknowledged before the commit",
        invariants: &["I10"],
        armed: Some((0, "intake.written=1:kill")),
        scenario: mix::nothing_wrong,
    },
    Control {
        bug: "new-number",
        what: "a new payout number for every send",
        invariants: &["I05", "I06", "I17"],
        armed: Some((2, "payout.before-call=1:kill")),
        scenario: mix::nothing_wrong,
    },
    Control {
        bug: "fail-on-timeout",
        what: "a lost answer taken for a refusal",
        invariants: &["I05", "I08"],
        armed: None,
        scenario: mix::answers_lost,
    },
    Control {
        bug: "unordered-relay",
        what: "a relay that keeps no order",
        invariants: &["I15"],
        // While it sleeps several events of a withdrawal pile up.
        armed: Some((7, SLEEPS)),
        scenario: mix::nothing_wrong,
    },
    Control {
        bug: "rescue-by-age",
        what: "a timer that sends again",
        invariants: &["I06"],
        armed: Some((1, "payout.after-call=1:kill")),
        scenario: mix::nothing_wrong,
    },
];

/// What came of a control.
pub(crate) struct Caught {
    pub(crate) control: &'static Control,
    /// What the checker said; nothing when it noticed nothing of the kind.
    pub(crate) by: Option<String>,
    pub(crate) took: Duration,
}

/// Plants one bug and asks the checker.
///
/// # Errors
/// When something fails that is no part of the product.
pub(crate) async fn run(servers: &Servers, control: &'static Control, folder: &Path) -> Result<Caught> {
    let began = Instant::now();
    let verdict = plant(servers, control, folder).await.with_context(|| format!("with {}", control.bug))?;
    let noticed = |it: &&(String, String)| control.invariants.contains(&it.0.as_str());
    let by = verdict.violations.iter().find(noticed).map(|(invariant, what)| format!("{invariant}: {what}"));
    Ok(Caught { control, by, took: began.elapsed() })
}

async fn plant(servers: &Servers, control: &Control, folder: &Path) -> Result<Verdict> {
    let scene = Scene::build(servers, folder).await.context("building the scene")?;
    audience::seat(&scene.connections).await?;
    scene.play(&(control.scenario)()).await?;
    let mut driver = Driver::new(&scene);
    let plan = upstream::Plan::of(WITHDRAWALS, 0, scene.time.now());
    scene.register(&plan.trades()).await?;
    let mut fleet = Fleet::launch(CREW, scene.orders(Some(control.bug)), &scene.time)?;
    driver.publish(plan.facts()).await?;
    wait_for_top_ups(&scene, plan.top_ups()).await?;
    if let Some((place, step)) = control.armed {
        fleet.kill(place, Some(step)).await?;
    }
    driver.publish(plan.requests()).await?;
    if let Some((place, step)) = control.armed.filter(|(_, step)| step.ends_with(":kill")) {
        let waited = Instant::now();
        while !fleet.has_died(place)? {
            anyhow::ensure!(waited.elapsed() < DEATH, "nobody died at {step}");
            driver.review(&scene).await?;
            sleep(Duration::from_millis(50)).await;
        }
    }
    let drained = drain(&scene, &mut fleet, &mut driver, PATIENCE).await?;
    fleet.land().await?;
    let mut verdict = checker::check(&scene, &driver.accepted).await?;
    if let Some(stuck) = drained.stuck {
        verdict.accuse("I12", stuck);
    }
    scene.strike().await?;
    Ok(verdict)
}

/// Until that many top-ups are booked.
pub(crate) async fn wait_for_top_ups(scene: &Scene, count: usize) -> Result<()> {
    let began = Instant::now();
    loop {
        let booked: i64 =
            sqlx::query_scalar("select count(*) from top_up").fetch_one(scene.database.pool()).await?;
        if usize::try_from(booked)? >= count {
            return Ok(());
        }
        anyhow::ensure!(began.elapsed() < Duration::from_mins(3), "{booked} of {count} top-ups were booked");
        sleep(Duration::from_millis(50)).await;
    }
}
