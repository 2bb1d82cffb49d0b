//! What the books and the broker say at one moment.

use std::time::Duration;

use broker::{Connections, Depth, topology};
use chrono::{DateTime, Utc};
use domain::{CircuitState, Rail, WithdrawalState};
use metrics::{counter, gauge};
use store::checks::{self, Check};
use store::circuits::{self, CircuitRow};
use store::gauges::{self, Gauges};
use store::measures::{self, Totals};
use store::stops::{self, Stop};
use store::{Database, Error};
use strum::IntoEnumIterator;

/// The longest that a scrape waits for the broker: a dead one is a value, and no excuse.
const BROKER_PATIENCE: Duration = Duration::from_secs(2);

/// Invariants by which buckets, journal, legs and gateways agree about money.
const LEDGER: [&str; 5] = ["I01", "I02", "I03", "I08", "I09"];

/// Everything that is read at one moment.
pub(super) struct Books {
    at: DateTime<Utc>,
    gauges: Gauges,
    totals: Totals,
    stops: Vec<Stop>,
    checks: Vec<Check>,
    circuits: Vec<(Rail, CircuitRow)>,
    queues: Option<Vec<Depth>>,
}

impl Books {
    /// Reads it. A broker that is away is told, and is no error.
    ///
    /// # Errors
    /// When the database is away.
    pub(super) async fn read(
        database: &Database,
        connections: &Connections,
        at: DateTime<Utc>,
    ) -> Result<Self, Error> {
        let queues = tokio::time::timeout(BROKER_PATIENCE, broker::depths(connections));
        let books = async {
            let gauges = gauges::read(database, at).await?;
            let mut connection = database.pool().acquire().await?;
            let totals = measures::totals(&mut connection).await?;
            let stops = stops::all(&mut connection).await?;
            let checks = checks::all(&mut connection).await?;
            let circuits = circuits::all(&mut connection).await?;
            Ok::<_, Error>((gauges, totals, stops, checks, circuits))
        };
        let (books, queues) = tokio::join!(books, queues);
        let (gauges, totals, stops, checks, circuits) = books?;
        Ok(Self { at, gauges, totals, stops, checks, circuits, queues: queues.ok().and_then(Result::ok) })
    }

    /// Sets every metric that is a value of this moment.
    pub(super) fn record(&self) {
        self.withdrawals();
        self.legs();
        self.invariants();
        self.broker();
        let piles = &self.gauges.piles;
        gauge!("outflow_outbox_messages").set(count(piles.unpublished));
        gauge!("outflow_outbox_lag_seconds").set(self.age(piles.unpublished_since));
        gauge!("outflow_parked_messages").set(count(piles.parked));
        gauge!("outflow_parked_oldest_age_seconds").set(self.age(piles.parked_since));
        gauge!("outflow_stopped_accounts").set(count(piles.stopped_accounts));
        gauge!("outflow_waiting_bank_runs").set(count(piles.waiting_bank_runs));
        gauge!("outflow_open_differences").set(count(piles.open_differences));
        gauge!("outflow_stops").set(count(i64::try_from(self.stops.len()).unwrap_or(i64::MAX)));
        for (result, total) in [
            ("repeated", self.totals.repeated),
            ("conflict", self.totals.conflicting),
            ("malformed", self.totals.malformed),
        ] {
            counter!("outflow_requests_total", "result" => result).absolute(total.unsigned_abs());
        }
        for result in ["accepted", "rejected"] {
            counter!("outflow_requests_total", "result" => result).increment(0);
        }
        counter!("outflow_deadline_missed_total").absolute(self.totals.missed.unsigned_abs());
    }

    /// Of each state that is no end: one without a withdrawal is 0, so that an alert ends.
    fn withdrawals(&self) {
        for state in WithdrawalState::iter().filter(|it| is_under_way(*it)) {
            let word = <&str>::from(state);
            let found = self.gauges.withdrawals.iter().find(|it| it.state == word);
            gauge!("outflow_withdrawals", "state" => word).set(found.map_or(0.0, |it| count(it.count)));
            let oldest = self.age(found.map(|it| it.oldest_at));
            gauge!("outflow_oldest_age_seconds", "state" => word).set(oldest);
        }
    }

    fn legs(&self) {
        for rail in Rail::iter() {
            let word = <&str>::from(rail);
            let open =
                |(of, row): &(Rail, CircuitRow)| *of == rail && row.circuit.state != CircuitState::Closed;
            let is_open = self.circuits.iter().any(open);
            gauge!("outflow_channel_circuit_open", "channel" => word).set(f64::from(u8::from(is_open)));
            let of_rail = || self.gauges.legs.iter().filter(|it| it.rail == word);
            let unknown = of_rail().find(|it| it.state == "unknown");
            gauge!("outflow_unknown_outcomes", "channel" => word)
                .set(unknown.map_or(0.0, |it| count(it.count)));
            gauge!("outflow_unknown_oldest_age_seconds", "channel" => word)
                .set(self.age(unknown.map(|it| it.oldest_at)));
            let review = of_rail().find(|it| it.state == "manual_review");
            gauge!("outflow_manual_reviews", "channel" => word).set(review.map_or(0.0, |it| count(it.count)));
            let nearest = of_rail().filter_map(|it| it.next_deadline_at).min();
            // Without a deadline there is all the time in the world.
            let headroom = nearest.map_or(f64::INFINITY, |it| seconds(it - self.at));
            gauge!("outflow_deadline_headroom_seconds", "channel" => word).set(headroom);
            let overdue: i64 = of_rail().map(|it| it.overdue).sum();
            gauge!("outflow_overdue_legs", "channel" => word).set(count(overdue));
        }
    }

    fn invariants(&self) {
        let mut difference = 0;
        for it in &self.checks {
            gauge!("outflow_invariant_violations", "invariant" => it.invariant.clone()).set(it.violations);
            if LEDGER.contains(&it.invariant.as_str()) {
                difference += it.violations;
            }
        }
        gauge!("outflow_ledger_difference").set(difference);
        if let Some(oldest) = self.checks.iter().map(|it| it.checked_at.timestamp()).min() {
            gauge!("outflow_invariants_checked_timestamp_seconds").set(count(oldest));
        }
    }

    /// A queue that nobody can count is not a number: an old one would lie.
    fn broker(&self) {
        gauge!("outflow_broker_up").set(if self.queues.is_some() { 1.0 } else { 0.0 });
        for queue in topology::QUEUES {
            let counted =
                self.queues.iter().flatten().find(|it| it.queue == queue.name).and_then(|it| it.counted);
            let (ready, consumers) =
                counted.map_or((f64::NAN, f64::NAN), |it| (f64::from(it.ready), f64::from(it.consumers)));
            gauge!("outflow_queue_messages", "queue" => queue.name).set(ready);
            gauge!("outflow_queue_consumers", "queue" => queue.name).set(consumers);
        }
    }

    fn age(&self, since: Option<DateTime<Utc>>) -> f64 {
        since.map_or(0.0, |it| seconds(self.at - it).max(0.0))
    }
}

/// Whether a withdrawal in this state has not ended.
const fn is_under_way(state: WithdrawalState) -> bool {
    use WithdrawalState as S;
    matches!(
        state,
        S::AwaitingDetails | S::PendingApproval | S::Approved | S::Processing | S::OnHold | S::ActionRequired
    )
}

fn seconds(length: chrono::TimeDelta) -> f64 {
    length.as_seconds_f64()
}

#[expect(clippy::cast_precision_loss, reason = "a count below 2^53")]
const fn count(number: i64) -> f64 {
    number as f64
}
