//! What Prometheus reads: every name, type and label, and that what happens is counted once.

#![expect(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

mod bench;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use bench::{Server, at, leg, server, withdrawal};
use chrono::TimeDelta;
use serde_json::json;
use store::attempts::{self, Attempt, AttemptOutcome, Kind};
use store::checks::{self, Found};
use store::deadline_alerts::{self, Alert};
use store::legs::Leg;
use store::trace::{self, Transition};
use store::withdrawals::Withdrawal;
use store::{legs, withdrawals};
use tokio::net::TcpListener;
use uuid::Uuid;

/// The contract with whoever writes alerts and dashboards: name, type, labels.
const METRICS: &[(&str, &str, &[&str])] = &[
    ("outflow_broker_up", "gauge", &[]),
    ("outflow_build_info", "gauge", &["version"]),
    ("outflow_channel_circuit_open", "gauge", &["channel"]),
    ("outflow_deadline_headroom_seconds", "gauge", &["channel"]),
    ("outflow_deadline_missed_total", "counter", &[]),
    ("outflow_gateway_request_duration_seconds", "histogram", &["channel", "op", "outcome"]),
    ("outflow_invariant_violations", "gauge", &["invariant"]),
    ("outflow_invariants_checked_timestamp_seconds", "gauge", &[]),
    ("outflow_ledger_difference", "gauge", &[]),
    ("outflow_manual_reviews", "gauge", &["channel"]),
    ("outflow_open_differences", "gauge", &[]),
    ("outflow_oldest_age_seconds", "gauge", &["state"]),
    ("outflow_outbox_lag_seconds", "gauge", &[]),
    ("outflow_outbox_messages", "gauge", &[]),
    ("outflow_overdue_legs", "gauge", &["channel"]),
    ("outflow_parked_messages", "gauge", &[]),
    ("outflow_parked_oldest_age_seconds", "gauge", &[]),
    ("outflow_queue_consumers", "gauge", &["queue"]),
    ("outflow_queue_messages", "gauge", &["queue"]),
    ("outflow_requests_total", "counter", &["result"]),
    ("outflow_stopped_accounts", "gauge", &[]),
    ("outflow_stops", "gauge", &[]),
    ("outflow_transition_duration_seconds", "histogram", &["entity", "from", "to"]),
    ("outflow_unknown_oldest_age_seconds", "gauge", &["channel"]),
    ("outflow_unknown_outcomes", "gauge", &["channel"]),
    ("outflow_waiting_bank_runs", "gauge", &[]),
    ("outflow_withdrawals", "gauge", &["state"]),
];

/// A sample that is there once [`something_happens`] is counted.
const COUNTED: &str =
    "outflow_gateway_request_duration_seconds_count{channel=\"bank\",op=\"pay\",outcome=\"succeeded\"}";

/// How long the other tests' transactions may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// What was scraped.
struct Scraped(String);

impl Scraped {
    async fn from(server: &Server) -> Self {
        let (status, _, text) = server.get("/metrics").await;
        assert_eq!(status, 200, "{text}");
        Self(text)
    }

    /// The first one that shows what happened. A move is counted when no transaction of
    /// the whole server is older, and tests beside this one have theirs.
    async fn showing(server: &Server, sample: &str) -> Self {
        let asked = Instant::now();
        loop {
            let scraped = Self::from(server).await;
            if scraped.0.lines().any(|line| {
                line.strip_prefix(sample).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
            }) {
                return scraped;
            }
            assert!(asked.elapsed() < PATIENCE, "{sample} in\n{}", scraped.0);
        }
    }

    /// The value of a sample by its name and labels as they are written.
    fn value(&self, sample: &str) -> f64 {
        let line = self.0.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("{sample} in\n{}", self.0)).parse().unwrap()
    }

    /// Type and labels of every name.
    fn found(&self) -> BTreeMap<String, (String, BTreeSet<String>)> {
        let typed = |line: &str| {
            let (name, kind) = line.strip_prefix("# TYPE ")?.split_once(' ')?;
            Some((name.to_owned(), (kind.to_owned(), BTreeSet::new())))
        };
        let mut found: BTreeMap<String, (String, BTreeSet<String>)> =
            self.0.lines().filter_map(typed).collect();
        for line in self.0.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (sample, _) = line.rsplit_once(' ').unwrap();
            let (name, labels) = sample.split_once('{').unwrap_or((sample, ""));
            let family = ["_bucket", "_sum", "_count"].iter().find_map(|end| {
                let family = name.strip_suffix(end)?;
                found.get(family).is_some_and(|it| it.0 == "histogram").then_some(family)
            });
            let labels = labels.trim_end_matches('}').split(',').filter_map(|it| it.split_once('='));
            let names = labels.map(|(name, _)| name.to_owned()).filter(|name| name != "le");
            let entry = found.get_mut(family.unwrap_or(name)).unwrap_or_else(|| panic!("{line} has no type"));
            entry.1.extend(names);
        }
        found
    }
}

fn moved(
    it: &Withdrawal,
    leg: Option<&Leg>,
    sequence: i32,
    from: &'static str,
    to: &'static str,
) -> Transition {
    Transition {
        withdrawal_id: it.id,
        leg_id: leg.map(|leg| leg.id),
        sequence,
        from,
        to,
        event: "test",
        actor: "test".to_owned(),
        note: None,
    }
}

/// A withdrawal that was accepted and waited two minutes, one that was rejected, a call
/// that took three seconds, a broken invariant and a missed deadline.
async fn something_happens(server: &Server) {
    let (accepted, mut rejected) = (withdrawal(), withdrawal());
    "R2".clone_into(&mut rejected.request_id);
    let leg = leg(&accepted);
    let mut tx = server.database.begin().await.unwrap();
    let rows = [accepted.clone(), rejected.clone()];
    withdrawals::insert(&mut tx, &rows, &[json!({}), json!({})], at()).await.unwrap();
    legs::insert(&mut tx, std::slice::from_ref(&leg), at()).await.unwrap();
    let first =
        [moved(&accepted, None, 1, "new", "pending_approval"), moved(&rejected, None, 1, "new", "rejected")];
    trace::put(&mut tx, &first, at()).await.unwrap();
    let later = at() + TimeDelta::minutes(2);
    let second = [moved(&accepted, None, 2, "pending_approval", "approved")];
    trace::put(&mut tx, &second, later).await.unwrap();
    let attempt = Attempt {
        id: Uuid::now_v7(),
        leg_id: leg.id,
        payout_no: leg.payout_no.clone(),
        number: 1,
        kind: Kind::Pay,
    };
    let outcome = AttemptOutcome {
        attempt_id: attempt.id,
        outcome: "succeeded",
        code: None,
        detail: None,
        reference: None,
    };
    attempts::start(&mut tx, &[attempt], later).await.unwrap();
    attempts::finish(&mut tx, &[outcome], later + TimeDelta::seconds(3)).await.unwrap();
    let broken = Found { invariant: "I02", violations: 4, example: Some("account acct-1".to_owned()) };
    let clean = Found { invariant: "I12", violations: 0, example: None };
    checks::put(&mut tx, &[broken, clean], at()).await.unwrap();
    let alert = Alert { leg_id: leg.id, withdrawal_id: accepted.id, rail: leg.rail, deadline_at: at() };
    deadline_alerts::put(&mut tx, deadline_alerts::Kind::Breach, &[alert], at()).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_metric_has_its_name_type_and_labels_and_no_other_does() {
    let server = server().await;
    Scraped::from(&server).await;
    something_happens(&server).await;
    let found = Scraped::showing(&server, COUNTED).await.found();
    let wanted: BTreeMap<String, (String, BTreeSet<String>)> = METRICS
        .iter()
        .map(|(name, kind, labels)| {
            let labels = labels.iter().map(|it| (*it).to_owned()).collect();
            ((*name).to_owned(), ((*kind).to_owned(), labels))
        })
        .collect();
    assert_eq!(found, wanted);
    server.stop.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_is_counted_once_and_what_is_under_way_is_told() {
    let server = server().await;
    let quiet = Scraped::from(&server).await;
    for (sample, value) in [
        ("outflow_requests_total{result=\"accepted\"}", 0.0),
        ("outflow_withdrawals{state=\"processing\"}", 0.0),
        ("outflow_deadline_headroom_seconds{channel=\"bank\"}", f64::INFINITY),
        ("outflow_unknown_outcomes{channel=\"alipay\"}", 0.0),
        ("outflow_ledger_difference", 0.0),
        ("outflow_broker_up", 1.0),
        ("outflow_queue_consumers{queue=\"outflow.requests\"}", 0.0),
    ] {
        assert!(quiet.value(sample).total_cmp(&value).is_eq(), "{sample} is {}", quiet.value(sample));
    }
    something_happens(&server).await;
    Scraped::showing(&server, COUNTED).await;
    // The second look counts nothing again.
    let busy = Scraped::from(&server).await;
    let waited = "entity=\"withdrawal\",from=\"pending_approval\",to=\"approved\"";
    let called = "channel=\"bank\",op=\"pay\",outcome=\"succeeded\"";
    for (sample, value) in [
        ("outflow_requests_total{result=\"accepted\"}".to_owned(), 1.0),
        ("outflow_requests_total{result=\"rejected\"}".to_owned(), 1.0),
        ("outflow_withdrawals{state=\"processing\"}".to_owned(), 2.0),
        ("outflow_ledger_difference".to_owned(), 4.0),
        ("outflow_deadline_missed_total".to_owned(), 1.0),
        (format!("outflow_transition_duration_seconds_sum{{{waited}}}"), 120.0),
        (format!("outflow_transition_duration_seconds_bucket{{{waited},le=\"60\"}}"), 0.0),
        (format!("outflow_transition_duration_seconds_bucket{{{waited},le=\"300\"}}"), 1.0),
        (format!("outflow_gateway_request_duration_seconds_sum{{{called}}}"), 3.0),
        (format!("outflow_gateway_request_duration_seconds_count{{{called}}}"), 1.0),
    ] {
        assert!((busy.value(&sample) - value).abs() < 1e-9, "{sample} is {}", busy.value(&sample));
    }
    assert!(busy.value("outflow_oldest_age_seconds{state=\"processing\"}") > 0.0);
    server.stop.cancel();
}

/// A number that was given earlier and commits later is counted all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_move_that_commits_after_a_later_one_is_not_skipped() {
    let server = server().await;
    Scraped::from(&server).await;
    let (slow, quick) = (withdrawal(), withdrawal());
    let mut late = server.database.begin().await.unwrap();
    trace::put(&mut late, &[moved(&slow, None, 1, "new", "pending_approval")], at()).await.unwrap();
    let mut tx = server.database.begin().await.unwrap();
    trace::put(&mut tx, &[moved(&quick, None, 1, "new", "pending_approval")], at()).await.unwrap();
    tx.commit().await.unwrap();
    for _ in 0..3 {
        let scraped = Scraped::from(&server).await;
        assert!(
            scraped.value("outflow_requests_total{result=\"accepted\"}") < 0.5,
            "one is under way before it"
        );
    }
    late.commit().await.unwrap();
    Scraped::showing(&server, "outflow_requests_total{result=\"accepted\"} 2").await;
    server.stop.cancel();
}

/// A broker that is away is a value, and the queues' old ones do not stay.
#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_away_is_told_and_hides_nothing_else() {
    let away = broker::Connections::later("amqp://outflow:none@127.0.0.1:1/", "test").unwrap();
    let server = server().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/metrics", listener.local_addr().unwrap());
    let state = api::State::new(server.database.clone(), away, server.stop.clone());
    let answering = tokio::spawn(api::serve(listener, state));
    let scraped = Scraped(reqwest::get(url).await.unwrap().text().await.unwrap());
    assert!(scraped.value("outflow_broker_up").abs() < 0.5);
    assert!(scraped.value("outflow_queue_consumers{queue=\"outflow.requests\"}").is_nan());
    assert!(scraped.value("outflow_withdrawals{state=\"approved\"}").abs() < 0.5);
    server.stop.cancel();
    answering.await.unwrap().unwrap();
}
