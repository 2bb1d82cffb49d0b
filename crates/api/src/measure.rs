//! Metrics: read from the books when Prometheus asks.
//!
//! Every process that serves them says the same, because the rows are the truth.
//! Counters and histograms count on from the process's first look. Only what leaves no row is
//! counted in the process: the notices of gateways, most of all those that were refused.
//! Names begin with `outflow_`, units are base units, and no label holds an id.

mod books;
mod flow;

use axum::extract;
use axum::http::HeaderName;
use axum::http::header::CONTENT_TYPE;
use chrono::{DateTime, Utc};
use domain::Rail;
use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, with_local_recorder};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

use self::books::Books;
use self::flow::{Flow, Happened};
use crate::State;
use crate::refusal::Refusal;

/// The text format that Prometheus reads.
const TEXT_FORMAT: (HeaderName, &str) = (CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8");

/// From a tenth of a second to two weeks: states end in moments, or wait for people and cut-offs.
const MOVES: &[f64] = &[
    0.1,
    0.5,
    1.0,
    5.0,
    15.0,
    60.0,
    300.0,
    900.0,
    3_600.0,
    14_400.0,
    86_400.0,
    259_200.0,
    604_800.0,
    1_209_600.0,
];

/// Gateways answer in seconds, or not at all.
const CALLS: &[f64] = &[0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0];

/// Values of a moment, and what they mean.
const GAUGES: &[(&str, &str)] = &[
    ("outflow_build_info", "1, with the version as a label"),
    ("outflow_withdrawals", "Withdrawals that have not ended, by state"),
    ("outflow_oldest_age_seconds", "How long the longest withdrawal has been in a state; 0: there is none"),
    ("outflow_unknown_outcomes", "Legs of which nobody knows whether their money left, by channel"),
    ("outflow_unknown_oldest_age_seconds", "How long the longest of them has been unknown; 0: there is none"),
    ("outflow_manual_reviews", "Legs that only people with evidence can end, by channel"),
    (
        "outflow_deadline_headroom_seconds",
        "Until the nearest deadline of a channel's legs, negative when it has passed; infinite: there is none",
    ),
    ("outflow_overdue_legs", "Legs under way whose deadline has passed, by channel"),
    (
        "outflow_ledger_difference",
        "Rows in which buckets, journal, legs and gateways do not agree about money, at the last look of the verify worker",
    ),
    ("outflow_outbox_messages", "Messages in the outbox that are not published yet"),
    ("outflow_outbox_lag_seconds", "How long the first message of the outbox has waited; 0: none waits"),
    ("outflow_parked_messages", "Messages that no worker could use and nobody has dealt with"),
    ("outflow_parked_oldest_age_seconds", "How long the first of them has waited; 0: none waits"),
    ("outflow_stopped_accounts", "Accounts that their facts have stopped"),
    ("outflow_waiting_bank_runs", "Bank runs over the limit of a day, which nobody has let go"),
    ("outflow_open_differences", "Disagreements of statements and books that nobody has resolved"),
    ("outflow_channel_circuit_open", "1 while nothing is sent on a channel because it kept failing"),
    ("outflow_stops", "Switches that keep money from leaving"),
    (
        "outflow_invariant_violations",
        "Rows that break an invariant of the books, at the last look of the verify worker",
    ),
    ("outflow_invariants_checked_timestamp_seconds", "When the verify worker last looked at every invariant"),
    ("outflow_broker_up", "Whether RabbitMQ answers this process"),
    (
        "outflow_queue_messages",
        "Messages that are ready in a queue; not a number while nobody can count them",
    ),
    ("outflow_queue_consumers", "Consumers of a queue; not a number while nobody can count them"),
];

/// What only grows, and what it means.
const COUNTERS: &[(&str, &str)] = &[
    ("outflow_requests_total", "Requests by result: accepted, rejected, repeated, conflict, malformed"),
    ("outflow_deadline_missed_total", "Legs that missed their deadline"),
    ("outflow_notices_total", "Notifications of gateways to this process, by result"),
];

/// Lengths of time, and what they mean.
const HISTOGRAMS: &[(&str, &str, &[f64])] = &[
    (
        "outflow_transition_duration_seconds",
        "How long a withdrawal or a leg was in a state before it moved on",
        MOVES,
    ),
    (
        "outflow_gateway_request_duration_seconds",
        "From the commit of an attempt to that of its answer, by channel, operation and outcome",
        CALLS,
    ),
];

/// Our own registry: a process may serve several states, in tests for example.
pub(crate) struct Gauges {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
    flow: Flow,
}

impl Gauges {
    /// # Panics
    /// Never: the buckets are constants, and there are some.
    pub(crate) fn new() -> Self {
        let builder = HISTOGRAMS.iter().fold(PrometheusBuilder::new(), |builder, (name, _, buckets)| {
            let name = Matcher::Full((*name).to_owned());
            builder.set_buckets_for_metric(name, buckets).expect("there are buckets")
        });
        let recorder = builder.build_recorder();
        let handle = recorder.handle();
        with_local_recorder(&recorder, || {
            for (name, meaning) in GAUGES {
                describe_gauge!(*name, *meaning);
            }
            for (name, meaning) in COUNTERS {
                describe_counter!(*name, *meaning);
            }
            for (name, meaning, _) in HISTOGRAMS {
                describe_histogram!(*name, *meaning);
            }
            gauge!("outflow_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
        });
        Self { recorder, handle, flow: Flow::default() }
    }

    /// Counts one delivery of a notification.
    pub(crate) fn count_notice(&self, rail: Rail, result: &'static str) {
        with_local_recorder(&self.recorder, || {
            counter!("outflow_notices_total", "rail" => <&str>::from(rail), "result" => result).increment(1);
        });
    }

    fn render(&self, books: &Books, happened: Happened) -> String {
        with_local_recorder(&self.recorder, || {
            books.record();
            happened.record();
        });
        // Histograms keep what they were told until it is taken into their buckets.
        self.handle.run_upkeep();
        self.handle.render()
    }
}

/// The moment for a process behind which nobody decides, and that has no other clock.
#[expect(clippy::disallowed_methods, reason = "ages for people who watch; nothing is decided by them")]
fn wall_clock() -> DateTime<Utc> {
    Utc::now()
}

/// The metrics as a text.
pub(crate) async fn metrics(
    extract::State(state): extract::State<State>,
) -> Result<([(HeaderName, &'static str); 1], String), Refusal> {
    let at = state.desk.as_ref().map_or_else(wall_clock, |desk| desk.engine.now());
    let books = Books::read(&state.database, &state.connections, at).await?;
    let happened = state.gauges.flow.read_on(&state.database).await?;
    Ok(([TEXT_FORMAT], state.gauges.render(&books, happened)))
}
