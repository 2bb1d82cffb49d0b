//! What is under way right now: the books, the queues, the channels. Read as a
//! whole by `status`, and each second by `top`.

use anyhow::{Context, Result};
use broker::{Connections, Depth};
use chrono::{DateTime, Utc};
use domain::{Circuit, LegState, Rail};
use serde_json::{Value, json};
use store::gauges::{self, Gauges};
use store::stops::{self, ALL, Stop};
use store::{Database, circuits};
use strum::IntoEnumIterator;

/// Everything at one moment.
pub(crate) struct Overview {
    /// When it was read.
    pub(crate) at: DateTime<Utc>,
    /// What the books say.
    pub(crate) gauges: Gauges,
    /// Switches that keep money from leaving.
    pub(crate) stops: Vec<Stop>,
    /// The circuit of each channel.
    pub(crate) circuits: Vec<(Rail, Circuit)>,
    /// The queues; or why the broker does not say.
    pub(crate) queues: Result<Vec<Depth>, String>,
}

/// One channel: whether it sends, and what is under way by it.
#[derive(Debug)]
pub(crate) struct Channel<'a> {
    /// Which.
    pub(crate) rail: Rail,
    /// The switch that stops it: its own, or the one that stops all.
    pub(crate) stop: Option<&'a Stop>,
    /// Its circuit; nothing where it never was asked for anything.
    pub(crate) circuit: Option<&'a Circuit>,
    /// Legs that are to go.
    pub(crate) waiting: i64,
    /// Legs that the channel was asked for, and that it has not ended.
    pub(crate) in_flight: i64,
    /// Legs of which nobody knows whether they were paid.
    pub(crate) unknown: i64,
    /// Legs in manual review.
    pub(crate) in_review: i64,
    /// Legs past their deadline.
    pub(crate) overdue: i64,
    /// The nearest deadline.
    pub(crate) next_deadline_at: Option<DateTime<Utc>>,
}

impl Overview {
    /// What is under way by each channel.
    pub(crate) fn channels(&self) -> Vec<Channel<'_>> {
        Rail::iter().map(|rail| self.channel(rail)).collect()
    }

    fn channel(&self, rail: Rail) -> Channel<'_> {
        let name: &str = rail.into();
        let mut channel = Channel {
            rail,
            stop: self.stops.iter().find(|it| it.name == name || it.name == ALL),
            circuit: self.circuits.iter().find(|(it, _)| *it == rail).map(|(_, circuit)| circuit),
            waiting: 0,
            in_flight: 0,
            unknown: 0,
            in_review: 0,
            overdue: 0,
            next_deadline_at: None,
        };
        for legs in self.gauges.legs.iter().filter(|it| it.rail == name) {
            *match legs.state.parse() {
                Ok(LegState::Dispatching | LegState::Submitted) => &mut channel.in_flight,
                Ok(LegState::Unknown) => &mut channel.unknown,
                Ok(LegState::ManualReview) => &mut channel.in_review,
                _ => &mut channel.waiting,
            } += legs.count;
            channel.overdue += legs.overdue;
            channel.next_deadline_at =
                [channel.next_deadline_at, legs.next_deadline_at].into_iter().flatten().min();
        }
        channel
    }

    /// Reads everything. A broker that is away is told, and is no error: the
    /// books are what counts.
    ///
    /// # Errors
    /// When the database is away.
    pub(crate) async fn read(
        database: &Database,
        connections: &Connections,
        at: DateTime<Utc>,
    ) -> Result<Self> {
        let books = async {
            let gauges = gauges::read(database, at).await?;
            let mut connection = database.pool().acquire().await.map_err(store::Error::from)?;
            let stops = stops::all(&mut connection).await?;
            Ok::<_, store::Error>((gauges, stops, circuits::all(&mut connection).await?))
        };
        let (books, queues) = tokio::join!(books, broker::depths(connections));
        let (gauges, stops, circuits) = books.context("reading what is under way")?;
        let circuits = circuits.into_iter().map(|(rail, row)| (rail, row.circuit)).collect();
        Ok(Self { at, gauges, stops, circuits, queues: queues.map_err(|error| error.to_string()) })
    }

    /// How long ago a moment was, in seconds; never below nothing.
    pub(crate) fn age(&self, since: DateTime<Utc>) -> i64 {
        (self.at - since).num_seconds().max(0)
    }

    /// How long until a moment, in seconds; below nothing when it has passed.
    pub(crate) fn headroom(&self, until: DateTime<Utc>) -> i64 {
        (until - self.at).num_seconds()
    }

    /// All of it for programs.
    pub(crate) fn in_json(&self) -> Value {
        let piles = &self.gauges.piles;
        let age = |since: Option<DateTime<Utc>>| since.map(|it| self.age(it));
        let withdrawals = self.gauges.withdrawals.iter().map(|it| {
            json!({ "state": it.state, "count": it.count, "oldest_age_seconds": self.age(it.oldest_at) })
        });
        let legs = self.gauges.legs.iter().map(|it| {
            json!({
                "rail": it.rail, "state": it.state, "count": it.count, "overdue": it.overdue,
                "oldest_age_seconds": self.age(it.oldest_at),
                "deadline_headroom_seconds": it.next_deadline_at.map(|it| self.headroom(it)),
            })
        });
        let queue = |it: &Depth| {
            json!({
                "queue": it.queue, "exists": it.counted.is_some(),
                "ready": it.counted.map(|it| it.ready), "consumers": it.counted.map(|it| it.consumers),
            })
        };
        let stop = |it: &Stop| json!({ "name": it.name, "reason": it.reason, "by": it.thrown_by, "at": it.thrown_at });
        let channel = |it: &Channel<'_>| {
            json!({
                "channel": it.rail.to_string(), "stopped": it.stop.is_some(),
                "circuit": it.circuit.map(|it| it.state.to_string()),
                "waiting": it.waiting, "in_flight": it.in_flight, "unknown": it.unknown,
                "in_review": it.in_review, "overdue": it.overdue,
                "deadline_headroom_seconds": it.next_deadline_at.map(|it| self.headroom(it)),
            })
        };
        json!({
            "at": self.at,
            "withdrawals": withdrawals.collect::<Value>(),
            "legs": legs.collect::<Value>(),
            "channels": self.channels().iter().map(channel).collect::<Value>(),
            "queues": self.queues.as_ref().ok().map(|it| it.iter().map(queue).collect::<Value>()),
            "broker": self.queues.as_ref().err(),
            "outbox": { "messages": piles.unpublished, "lag_seconds": age(piles.unpublished_since).unwrap_or(0) },
            "parked": { "messages": piles.parked, "oldest_age_seconds": age(piles.parked_since) },
            "stopped_accounts": piles.stopped_accounts,
            "waiting_bank_runs": piles.waiting_bank_runs,
            "open_differences": piles.open_differences,
            "stops": self.stops.iter().map(stop).collect::<Value>(),
        })
    }
}
