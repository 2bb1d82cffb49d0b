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
    /// All of them.
    took: Vec<Duration>,
    /// Those whose channels say at once what became of the money. UnionPay says no more
    /// than that a refund was taken, and wants to be asked a second later.
    answered: Vec<Duration>,
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
    let (mut took, mut answered) = (Vec::with_capacity(count), Vec::with_capacity(count));
    for End { id, at, asked } in heard {
        let began = sent.get(&id).with_context(|| format!("nobody asked for {id}"))?;
        took.push(at.duration_since(*began));
        if !asked {
            answered.push(at.duration_since(*began));
        }
    }
    took.sort_unstable();
    answered.sort_unstable();
    Ok(Latency { rate, took, answered })
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

/// A withdrawal's completed event.
struct End {
    /// Of its request.
    id: String,
    at: Instant,
    /// One of its channels had to be asked what became of the money.
    asked: bool,
}

async fn listen(audience: &mut Audience, count: usize) -> Result<Vec<End>> {
    let (mut heard, mut ends) = (Heard::default(), Vec::with_capacity(count));
    while ends.len() < count {
        let event = timeout(PATIENCE, audience.next()).await.context("an end was not heard")??;
        let before = heard.completed.len();
        heard.note(&event)?;
        if heard.completed.len() > before {
            let event: Value = serde_json::from_slice(&event.data)?;
            let data = &event["data"];
            let id = data["request"]["id"].as_str().context("an event without its request")?.to_owned();
            let legs = data["legs"].as_array().context("an event without its legs")?;
            let asked = legs.iter().any(|leg| leg["rail"] == "unionpay");
            ends.push(End { id, at: Instant::now(), asked });
        }
    }
    Ok(ends)
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, rate) = (self.took.len(), self.rate);
        writeln!(f, "\n{count} requests at {rate} a second, from published to the completed event heard:")?;
        writeln!(f, "{}", line("all of them", &self.took))?;
        writeln!(f, "{}", line("those without UnionPay", &self.answered))
    }
}

/// What shares of the requests took at most.
fn line(whose: &str, took: &[Duration]) -> String {
    let at = |thousandths: usize| {
        let place = (took.len() * thousandths).div_ceil(1_000).max(1) - 1;
        took.get(place).map_or(0, Duration::as_millis)
    };
    format!(
        "{whose:<24}{:>6}   p50 {} ms, p90 {} ms, p99 {} ms, the slowest {} ms",
        took.len(),
        at(500),
        at(900),
        at(990),
        at(1_000)
    )
}
