//! How long one withdrawal takes when requests come at half of what the machine can do.

use std::collections::HashMap;
use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use broker::Outgoing;
use serde_json::Value;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::audience::{Audience, Heard};
use crate::scene::Scene;

/// How often the upstream speaks.
const TICK: Duration = Duration::from_millis(20);

/// An event that does not come for so long does not come at all.
const PATIENCE: Duration = Duration::from_mins(1);

/// From each request's publishing to the event that says it is completed, shortest first.
pub(crate) struct Latency {
    /// Requests in a second.
    pub(crate) rate: u32,
    took: Vec<Duration>,
}

/// Publishes requests at that rate and listens for their ends.
///
/// # Errors
/// When the broker goes away, or an end is not heard.
pub(crate) async fn measure(
    scene: &Scene,
    audience: &mut Audience,
    requests: Vec<Outgoing>,
    rate: u32,
) -> Result<Latency> {
    let count = requests.len();
    let upstream = speak(scene, requests, rate);
    let (sent, heard) = tokio::join!(upstream, listen(audience, count));
    let (sent, heard) = (sent?, heard?);
    let mut took = Vec::with_capacity(count);
    for (id, at) in heard {
        let began = sent.get(&id).with_context(|| format!("nobody asked for {id}"))?;
        took.push(at.duration_since(*began));
    }
    took.sort_unstable();
    Ok(Latency { rate, took })
}

/// Publishes evenly, and answers when each request was on its way to the broker.
async fn speak(scene: &Scene, requests: Vec<Outgoing>, rate: u32) -> Result<HashMap<String, Instant>> {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let (began, mut sent, mut rest) = (Instant::now(), HashMap::new(), requests.into_iter());
    loop {
        ticks.tick().await;
        let due = began.elapsed().as_micros() * u128::from(rate) / 1_000_000 + 1;
        let due = usize::try_from(due)?.saturating_sub(sent.len());
        let now: Vec<Outgoing> = rest.by_ref().take(due).collect();
        if now.is_empty() && rest.len() == 0 {
            return Ok(sent);
        }
        sent.extend(now.iter().map(|it| (it.message_id.clone(), Instant::now())));
        scene.publish(now.into_iter()).await?;
    }
}

async fn listen(audience: &mut Audience, count: usize) -> Result<Vec<(String, Instant)>> {
    let (mut heard, mut ends) = (Heard::default(), Vec::with_capacity(count));
    while ends.len() < count {
        let event = timeout(PATIENCE, audience.next()).await.context("an end was not heard")??;
        let before = heard.completed.len();
        heard.note(&event)?;
        if heard.completed.len() > before {
            let event: Value = serde_json::from_slice(&event.data)?;
            let id = event["data"]["request"]["id"].as_str().context("an event without its request")?;
            ends.push((id.to_owned(), Instant::now()));
        }
    }
    Ok(ends)
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = |thousandths: usize| {
            let place = (self.took.len() * thousandths).div_ceil(1_000).max(1) - 1;
            self.took[place].as_millis()
        };
        writeln!(
            f,
            "\n{} requests at {} a second, from published to the completed event heard:",
            self.took.len(),
            self.rate
        )?;
        writeln!(
            f,
            "p50 {} ms, p90 {} ms, p99 {} ms, the slowest {} ms",
            at(500),
            at(900),
            at(990),
            at(1_000)
        )
    }
}
