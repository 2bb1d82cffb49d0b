//! The intake at its queue: malformed and poisonous messages, and their neighbours.

mod stage;

use std::time::Duration;

use broker::topology::{self, REQUESTS};
use broker::{BatchLimits, Connections, Inbox, Outgoing, Published, Publisher};
use devstack::{Options, Servers, Stack};
use serde_json::json;
use stage::{Credit, Stage, now, request, rules};
use tokio_util::sync::CancellationToken;
use workers::{Clock, intake};

/// Polls a statement until it answers `expected`, for half a minute at most.
async fn wait_for(stage: &Stage, sql: &'static str, expected: &str) {
    for _ in 0..600 {
        if stage.text(sql).await == expected {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(stage.text(sql).await, expected, "{sql}");
}

/// The same in the trace of a header; every other one has a header that cannot be read.
fn traced(mut message: Outgoing, header: &str) -> Outgoing {
    let is_odd = message.message_id.parse().is_ok_and(|it: usize| it % 2 == 1);
    let value = if is_odd { "none of this kind" } else { header };
    message.headers.insert("traceparent".to_owned(), value.to_owned());
    message
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_messages_are_parked_once_each_and_their_neighbours_are_decided() {
    let stage = Stage::new().await;
    let credit =
        Credit { id: "t", channel: "alipay", arrived_at: "2026-02-01T12:00:00+08:00", amount: "100.00" };
    stage.account("acct-1", &[credit]).await;
    // A row that only the database refuses, however well-formed its message is.
    stage.run("alter table withdrawal add constraint poison check (requester <> 'poison')").await;
    let options = Options { servers: Servers::RabbitMqOnly, ..Options::default() };
    let rabbit = Stack::start(options).await.unwrap();
    let connections = Connections::open(&rabbit.fresh_vhost().await.unwrap(), "intake").await.unwrap();
    topology::apply(&connections).await.unwrap();

    let header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let mut bodies: Vec<Vec<u8>> = Vec::new();
    for place in 0..8 {
        bodies.push(request(&format!("good{place}"), "1.00", json!({})).to_json());
    }
    bodies.insert(3, request("poison", "1.00", json!({ "requester": "poison" })).to_json());
    bodies.insert(5, b"not json".to_vec());
    bodies.insert(6, br#"{"specversion":"1.0","amount":1.5}"#.to_vec());
    bodies.push(vec![b' '; 70_000]);
    let messages: Vec<_> = bodies
        .into_iter()
        .zip(0..)
        .map(|(body, id)| traced(Outgoing::work(REQUESTS, id.to_string(), body), header))
        .collect();
    let published = Publisher::new(&connections).publish_all(&messages).await;
    assert!(published.iter().all(|it| *it == Published::Confirmed), "{published:?}");

    let limits = BatchLimits { max: 32, linger: Duration::from_millis(200), prefetch: 32 };
    let inbox = Inbox::open(&connections, REQUESTS, limits);
    let stop = CancellationToken::new();
    let (database, clock) = (stage.database.clone(), Clock::manual(now()));
    let worker = tokio::spawn(intake::run(inbox, database, rules(), clock, stop.clone()));
    wait_for(&stage, "select count(*) from withdrawal", "8").await;
    wait_for(&stage, "select count(*) from parked_message", "4").await;
    stop.cancel();
    worker.await.unwrap().unwrap();

    assert_eq!(
        stage.text("select string_agg(distinct state, ' ') from withdrawal").await,
        "pending_approval"
    );
    let codes =
        stage.text("select string_agg(problem->>'code', ' ' order by problem->>'code') from parked_message");
    assert_eq!(codes.await, "body_too_large not_json refused_by_database unknown_field");
    let letters = "select count(*) from outbox where exchange = 'outflow.dead-letters'";
    assert_eq!(stage.text(letters).await, "4");
    stage.books_balance().await;
    // Of the good ones every other came with a header that is none, and is no worse for it.
    let traces = "select string_agg(distinct coalesce(traceparent, '-'), ' ') from withdrawal";
    assert_eq!(stage.text(traces).await, format!("- {header}"));

    // Everything was acknowledged: a second worker finds nothing to do.
    let (again, quiet) = (CancellationToken::new(), Duration::from_secs(1));
    let mut inbox = Inbox::open(&connections, REQUESTS, limits);
    assert!(tokio::time::timeout(quiet, inbox.next_batch(&again)).await.is_err(), "a message came again");
}
