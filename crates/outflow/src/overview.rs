//! What is under way right now: the books, the queues, the stops. Read as a whole
//! by `status`.

use anyhow::{Context, Result};
use broker::{Connections, Depth};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use store::Database;
use store::gauges::{self, Gauges};
use store::stops::{self, Stop};

/// Everything at one moment.
pub(crate) struct Overview {
    /// When it was read.
    pub(crate) at: DateTime<Utc>,
    /// What the books say.
    pub(crate) gauges: Gauges,
    /// Switches that keep money from leaving.
    pub(crate) stops: Vec<Stop>,
    /// The queues; or why the broker does not say.
    pub(crate) queues: Result<Vec<Depth>, String>,
}

impl Overview {
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
            Ok::<_, store::Error>((gauges, stops::all(&mut connection).await?))
        };
        let (books, queues) = tokio::join!(books, broker::depths(connections));
        let (gauges, stops) = books.context("reading what is under way")?;
        Ok(Self { at, gauges, stops, queues: queues.map_err(|error| error.to_string()) })
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
        json!({
            "at": self.at,
            "withdrawals": withdrawals.collect::<Value>(),
            "legs": legs.collect::<Value>(),
            "queues": self.queues.as_ref().ok().map(|it| it.iter().map(queue).collect::<Value>()),
            "broker": self.queues.as_ref().err(),
            "outbox": { "messages": piles.unpublished, "lag_seconds": age(piles.unpublished_since).unwrap_or(0) },
            "parked": { "messages": piles.parked, "oldest_age_seconds": age(piles.parked_since) },
            "stopped_accounts": piles.stopped_accounts,
            "stops": self.stops.iter().map(stop).collect::<Value>(),
        })
    }
}
