//! What will go wrong, and when: drawn from the seed and written down before the run.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use clap::Args;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use serde::Serialize;

use crate::fleet::CREW;
use crate::upstream;

/// How large a run is.
#[derive(Debug, Clone, Args, Serialize)]
pub(crate) struct Size {
    /// Draws everything; the same seed is the same plan
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Requests
    #[arg(long, default_value_t = 10_000)]
    pub(crate) withdrawals: usize,
    /// Processes that are killed on the spot
    #[arg(long, default_value_t = 200)]
    pub(crate) kills: usize,
    /// Immediate stops of PostgreSQL
    #[arg(long, default_value_t = 10)]
    pub(crate) postgres_crashes: usize,
    /// Kills of RabbitMQ
    #[arg(long, default_value_t = 5)]
    pub(crate) broker_kills: usize,
    /// Seconds of calm in which everything must have ended
    #[arg(long, default_value_t = 60)]
    pub(crate) calm_seconds: u64,
    /// RabbitMQ is a cluster of three nodes, which die and stop one at a time too
    #[arg(long)]
    pub(crate) cluster: bool,
}

/// Queues whose messages are nudges: a lost one costs time.
pub(crate) const NUDGES: [&str; 5] =
    ["outflow.approvals", "payout.alipay", "payout.wechat", "payout.unionpay", "payout.bank"];

/// One accident. Places are those of the crew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub(crate) enum Fault {
    /// A process is killed, and its successor dies at a step of its work.
    Armed { place: usize, point: String, nth: u32 },
    /// A process is killed.
    Kill { place: usize },
    /// The process that takes the gateways' notices is killed.
    KillApi,
    /// A process stands still for longer than its lease.
    Hold { place: usize },
    /// PostgreSQL stops as in a crash.
    PostgresCrash,
    /// The server ends connections.
    EndBackends { count: i64 },
    /// The connection that commits next is cut before, or after.
    CutCommit { after: Place },
    /// The connection that acknowledges or publishes next is cut.
    CutBroker { after: Place },
    /// The next call of a gateway is cut.
    CutCall { after: Place },
    /// Everything is slow, or arrives byte by byte, or nowhere.
    Network { way: Way, weather: Bad },
    /// RabbitMQ dies, with all its nodes, and comes back.
    BrokerKill,
    /// One node of the cluster goes away and comes back.
    NodeLost { node: usize, how: Loss },
    /// A queue of nudges is emptied.
    Purge { queue: &'static str },
    /// RabbitMQ takes no message: a memory alarm.
    Alarm,
    /// One process is wrong about the time.
    Mislead { place: usize, seconds: i64 },
    /// Requests reach a gateway only after their caller has given up.
    LateCalls,
    /// All gateways are overloaded for a while.
    Overload,
    /// A process is asked to end while its successor runs.
    Replace { place: usize },
    /// A message that nobody can use.
    Poison { number: usize },
    /// One message, fifty times.
    Fiftyfold,
}

/// Where a connection is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Place {
    Before,
    After,
}

/// How a node goes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Loss {
    Killed,
    Stopped,
    /// It runs, and reaches no other.
    CutOff,
}

/// Which network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Way {
    Database,
    Broker,
    Gateways,
}

/// What it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Bad {
    Slow,
    Crumbs,
    Hole,
}

impl Fault {
    /// Its number in the list of promises, and what it is in a few words.
    pub(crate) const fn name(&self) -> (&'static str, &'static str) {
        match self {
            Self::Armed { .. } => ("F01", "killed at a named step"),
            Self::Kill { .. } | Self::KillApi => ("F02", "killed at random"),
            Self::Hold { .. } => ("F03", "stopped for longer than a lease"),
            Self::PostgresCrash => ("F04", "PostgreSQL stopped as in a crash"),
            Self::EndBackends { .. } => ("F05", "backends ended"),
            Self::CutCommit { .. } => ("F06", "cut around a commit"),
            Self::CutBroker { .. } | Self::CutCall { .. } | Self::Network { .. } => {
                ("F07", "network cut, slow, in crumbs, or a hole")
            }
            Self::NodeLost { how: Loss::Killed, .. } => ("F08", "node of the broker killed"),
            Self::NodeLost { how: Loss::Stopped, .. } => ("F09", "node of the broker stopped"),
            Self::NodeLost { how: Loss::CutOff, .. } => ("F11", "node of the broker cut off from the others"),
            Self::BrokerKill => ("F10", "RabbitMQ killed, all of it"),
            Self::Purge { .. } => ("F12", "queue of nudges emptied"),
            Self::Alarm => ("F13", "memory alarm of RabbitMQ"),
            Self::Fiftyfold => ("F14", "one message fifty times"),
            Self::Poison { number } if upstream::is_oversize(*number) => {
                ("F17", "message larger than any may be")
            }
            Self::Poison { .. } => ("F16", "message that nobody can use"),
            Self::Mislead { .. } => ("F18", "clock of one process wrong"),
            Self::LateCalls => ("F21", "request arrives after its caller gave up"),
            Self::Overload => ("F27", "gateways overloaded"),
            Self::Replace { .. } => ("F30", "asked to end, its successor running"),
        }
    }
}

/// The accidents of each step of a run.
#[derive(Debug, Serialize)]
pub(crate) struct Plan {
    size: Size,
    /// The processes, by their places.
    crew: &'static [&'static [&'static str]],
    pub(crate) steps: Vec<Vec<Fault>>,
}

impl Plan {
    /// Draws a plan; `points` are the named steps of the workers.
    pub(crate) fn draw(size: &Size, points: &[String]) -> Self {
        let mut dice = StdRng::seed_from_u64(size.seed);
        let mut faults = fixed(size, &mut dice);
        faults.extend(random(size, points, &mut dice));
        faults.shuffle(&mut dice);
        let count = size.kills.max(8);
        let mut steps = vec![Vec::new(); count];
        for (place, fault) in faults.into_iter().enumerate() {
            steps[place % count].push(fault);
        }
        Self { size: size.clone(), crew: CREW, steps }
    }

    /// How many of each fault.
    pub(crate) fn counts(&self) -> BTreeMap<(&'static str, &'static str), u64> {
        let mut counts = BTreeMap::new();
        for fault in self.steps.iter().flatten() {
            *counts.entry(fault.name()).or_default() += 1;
        }
        counts
    }

    /// Writes it down, with how the gateways will treat whose money.
    pub(crate) fn write(&self, upstream: &upstream::Plan, path: &Path) -> Result<()> {
        let mut plan = serde_json::to_value(self)?;
        plan["treatments"] = serde_json::to_value(upstream.dealt())?;
        let text = serde_json::to_string_pretty(&plan)?;
        std::fs::write(path, text).with_context(|| format!("writing {}", path.display()))
    }
}

/// The accidents whose number was asked for.
fn fixed(size: &Size, dice: &mut StdRng) -> Vec<Fault> {
    let mut faults = vec![Fault::PostgresCrash; size.postgres_crashes];
    faults.extend((0..size.broker_kills).map(|it| match it % 4 {
        0 if size.cluster => Fault::NodeLost { node: it / 4 + 1, how: Loss::Killed },
        1 if size.cluster => Fault::NodeLost { node: it / 4, how: Loss::Stopped },
        2 if size.cluster => Fault::NodeLost { node: it / 4 + 2, how: Loss::CutOff },
        _ => Fault::BrokerKill,
    }));
    faults.extend((0..size.kills).map(|it| match it % 20 {
        19 => Fault::KillApi,
        _ => Fault::Kill { place: dice.random_range(0..CREW.len()) },
    }));
    faults
}

/// The others, in proportion to the kills, each at least once.
fn random(size: &Size, points: &[String], dice: &mut StdRng) -> Vec<Fault> {
    let mut faults = Vec::new();
    let one_in = |share: usize| (size.kills / share).max(1);
    let running = |worker: &str, dice: &mut StdRng| {
        let places: Vec<usize> = (0..CREW.len()).filter(|it| CREW[*it][0] == worker).collect();
        places[dice.random_range(0..places.len())]
    };
    let places = [Place::Before, Place::After];
    for _ in 0..one_in(3) {
        let known: Vec<&String> = points.iter().filter(|it| owner(it).is_some()).collect();
        let Some(point) = known.get(dice.random_range(0..known.len().max(1))) else { break };
        let place = running(owner(point).expect("only owned points are left"), dice);
        faults.push(Fault::Armed { place, point: (*point).clone(), nth: dice.random_range(1..4) });
    }
    for it in 0..one_in(10) {
        faults.push(Fault::EndBackends { count: dice.random_range(1..6) });
        faults.push(Fault::CutCommit { after: places[it % 2] });
        faults.push(Fault::CutBroker { after: places[it % 2] });
        faults.push(Fault::CutCall { after: places[(it + 1) % 2] });
        let way = [Way::Database, Way::Broker, Way::Gateways][it % 3];
        let weather = [Bad::Slow, Bad::Crumbs, Bad::Hole][dice.random_range(0..3)];
        faults.push(Fault::Network { way, weather });
        let seconds = [-40, -5, 30, 90][dice.random_range(0..4)];
        faults.push(Fault::Mislead { place: dice.random_range(0..CREW.len()), seconds });
    }
    for it in 0..one_in(20) {
        let holder = ["payout", "settle", "intake", "relay"][it % 4];
        faults.push(Fault::Hold { place: running(holder, dice) });
        faults.push(Fault::Purge { queue: NUDGES[it % NUDGES.len()] });
        faults.push(Fault::Replace { place: dice.random_range(0..CREW.len()) });
        faults.push(Fault::LateCalls);
        faults.push(Fault::Fiftyfold);
    }
    faults.extend((0..one_in(5).max(4)).map(|number| Fault::Poison { number }));
    faults.extend((0..one_in(40)).flat_map(|_| [Fault::Alarm, Fault::Overload]));
    faults
}

/// The worker that a step belongs to, where it runs in a process of its own.
fn owner(point: &str) -> Option<&'static str> {
    let worker = point.split('.').next()?;
    CREW.iter().map(|it| it[0]).find(|it| *it == worker)
}

#[cfg(test)]
mod tests {
    use super::{Fault, Plan, Size};

    #[test]
    fn a_seed_is_a_plan_and_every_number_is_kept() {
        let size = Size {
            seed: 7,
            withdrawals: 100,
            kills: 40,
            postgres_crashes: 3,
            broker_kills: 2,
            calm_seconds: 60,
            cluster: false,
        };
        let points = ["intake.written".to_owned(), "payout.before-call".to_owned()];
        let plan = Plan::draw(&size, &points);
        assert_eq!(plan.steps, Plan::draw(&size, &points).steps);
        assert_ne!(plan.steps, Plan::draw(&Size { seed: 8, ..size }, &points).steps);
        let count = |wanted: fn(&Fault) -> bool| plan.steps.iter().flatten().filter(|it| wanted(it)).count();
        assert_eq!(count(|it| it.name().0 == "F02"), 40);
        assert_eq!(count(|it| *it == Fault::PostgresCrash), 3);
        assert_eq!(count(|it| *it == Fault::BrokerKill), 2);
        assert_eq!(plan.counts().len(), 17, "every kind of accident happens: {:?}", plan.counts());
    }
}
