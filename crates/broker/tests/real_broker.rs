//! Topology, publishing and consuming on a real RabbitMQ, each in a virtual host of its own.

#![expect(clippy::unwrap_used, reason = "a failed step of a test is a failed test")]

use std::time::Duration;

use broker::topology::{self, DEAD, DEAD_LETTERS, FACTS, QUEUES, REQUESTS};
use broker::{BatchLimits, Connections, Inbox, Outgoing, Published, Publisher, Settled};
use devstack::{Options, Servers, Stack};
use lapin::options::{QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::{AMQPValue, FieldTable};
use tokio_util::sync::CancellationToken;

const LIMITS: BatchLimits = BatchLimits { max: 4, linger: Duration::from_millis(200), prefetch: 8 };

/// A broker, and connections to an empty virtual host of it.
async fn vhost() -> (Stack, Connections) {
    let options = Options { servers: Servers::RabbitMqOnly, ..Options::default() };
    let stack = Stack::start(options).await.unwrap();
    let connections = Connections::open(&stack.fresh_vhost().await.unwrap(), "test").await.unwrap();
    (stack, connections)
}

fn message(queue: &str, number: usize) -> Outgoing {
    Outgoing::work(queue, number.to_string(), number.to_string().into_bytes())
}

/// Takes batches until `count` messages were seen, acknowledges them, and says which.
async fn drain(inbox: &mut Inbox, count: usize) -> Vec<String> {
    let stop = CancellationToken::new();
    let mut bodies = Vec::new();
    while bodies.len() < count {
        let wait = tokio::time::timeout(Duration::from_secs(20), inbox.next_batch(&stop)).await;
        let batch = wait.expect("a batch within 20 s").expect("nobody stops");
        bodies.extend(batch.deliveries.iter().map(|it| String::from_utf8_lossy(&it.body).into_owned()));
        assert_eq!(batch.ack().await, Settled::Sent);
    }
    bodies
}

/// How many messages wait in a queue, unacknowledged ones not counted.
async fn waiting(connections: &Connections, queue: &str) -> u32 {
    let channel = connections.publishing.try_channel().await.unwrap();
    let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::durable() };
    channel.queue_declare(queue.into(), options, FieldTable::default()).await.unwrap().message_count()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_topology_is_applied_twice_and_differences_are_named() {
    let (_stack, connections) = vhost().await;
    let missing = topology::diff(&connections).await.unwrap();
    assert_eq!(missing.len(), QUEUES.len() + topology::EXCHANGES.len());
    assert!(missing.iter().all(|it| it.detail == "is missing"), "{missing:?}");

    for _ in 0..2 {
        topology::apply(&connections).await.unwrap();
        assert_eq!(topology::diff(&connections).await.unwrap(), []);
    }

    let channel = connections.publishing.try_channel().await.unwrap();
    channel.queue_delete(FACTS.into(), QueueDeleteOptions::default()).await.unwrap();
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    arguments.insert("x-max-length".into(), AMQPValue::LongLongInt(7));
    channel.queue_declare(FACTS.into(), QueueDeclareOptions::durable(), arguments).await.unwrap();
    channel.queue_delete(REQUESTS.into(), QueueDeleteOptions::default()).await.unwrap();

    let found: Vec<_> = topology::diff(&connections).await.unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("queue outflow.facts is different") && found[0].contains("x-"), "{found:?}");
    assert_eq!(found[1], "queue outflow.requests is missing");
    let error = topology::apply(&connections).await.unwrap_err();
    assert!(matches!(error, broker::Error::Refused(_)), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn work_that_reaches_no_queue_is_returned_and_events_without_listeners_are_fine() {
    let (_stack, connections) = vhost().await;
    topology::apply(&connections).await.unwrap();
    let publisher = Publisher::new(&connections);
    let messages = [
        message(FACTS, 1),
        message("outflow.nowhere", 2),
        Outgoing::event("withdrawal.completed", "3", b"{}".to_vec()),
        message(&"x".repeat(300), 4),
        message(FACTS, 5),
    ];
    let outcomes = publisher.publish_all(&messages).await;
    assert_eq!(outcomes[0], Published::Confirmed);
    assert_eq!(outcomes[1], Published::Returned("312 NO_ROUTE".to_owned()));
    assert_eq!(outcomes[2], Published::Confirmed);
    assert!(matches!(outcomes[3], Published::Returned(_)), "{outcomes:?}");
    assert_eq!(outcomes[4], Published::Confirmed);
    assert_eq!(waiting(&connections, FACTS).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exchange_that_is_missing_makes_all_unknown_and_spoils_nothing() {
    let (_stack, connections) = vhost().await;
    let publisher = Publisher::new(&connections);
    let outcome = publisher.publish(message(FACTS, 1)).await;
    assert!(matches!(outcome, Published::Unknown(_)), "{outcome:?}");
    topology::apply(&connections).await.unwrap();
    assert_eq!(publisher.publish(message(FACTS, 1)).await, Published::Confirmed);
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_are_settled_in_any_order_and_the_others_come_again() {
    let (_stack, connections) = vhost().await;
    topology::apply(&connections).await.unwrap();
    let messages: Vec<_> = (0..4).map(|number| message(FACTS, number)).collect();
    assert_eq!(Publisher::new(&connections).publish_all(&messages).await, vec![Published::Confirmed; 4]);

    let stop = CancellationToken::new();
    let mut inbox = Inbox::open(&connections, FACTS, LIMITS);
    let mut batch = inbox.next_batch(&stop).await.unwrap();
    assert_eq!(batch.len(), 4);
    // The last is done, the third goes back, the second is dropped, the first is in somebody's hands.
    assert_eq!(batch.deliveries.pop().unwrap().ack().await, Settled::Sent);
    assert_eq!(batch.deliveries.pop().unwrap().requeue().await, Settled::Sent);
    drop(batch.deliveries.pop());
    let mut again = drain(&mut inbox, 2).await;
    again.sort();
    assert_eq!(again, ["1", "2"]);
    assert_eq!(batch.ack().await, Settled::Sent);

    drop(inbox);
    let mut inbox = Inbox::open(&connections, FACTS, LIMITS);
    assert_eq!(Publisher::new(&connections).publish(message(FACTS, 9)).await, Published::Confirmed);
    assert_eq!(drain(&mut inbox, 1).await, ["9"], "nothing else is left");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unacknowledged_batch_is_delivered_again_to_the_next_inbox() {
    let (_stack, connections) = vhost().await;
    topology::apply(&connections).await.unwrap();
    assert_eq!(Publisher::new(&connections).publish(message(FACTS, 1)).await, Published::Confirmed);
    let stop = CancellationToken::new();
    let mut inbox = Inbox::open(&connections, FACTS, LIMITS);
    let batch = inbox.next_batch(&stop).await.unwrap();
    assert!(!batch.deliveries[0].redelivered);
    drop((batch, inbox));

    let batch = Inbox::open(&connections, FACTS, LIMITS).next_batch(&stop).await.unwrap();
    assert!(batch.deliveries[0].redelivered);
    assert_eq!(batch.deliveries[0].delivery_count, 1);
    assert_eq!(batch.ack().await, Settled::Sent);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_of_any_queue_arrives_with_its_headers() {
    let (_stack, connections) = vhost().await;
    topology::apply(&connections).await.unwrap();
    let letter = Outgoing {
        exchange: DEAD_LETTERS.to_owned(),
        headers: [("x-outflow-code".to_owned(), "not_json".to_owned())].into(),
        ..Outgoing::work(FACTS, "m-1", b"{ not json".to_vec())
    };
    assert_eq!(Publisher::new(&connections).publish(letter).await, Published::Confirmed);

    let stop = CancellationToken::new();
    let batch = Inbox::open(&connections, DEAD, LIMITS).next_batch(&stop).await.unwrap();
    assert_eq!(batch.len(), 1);
    let letter = &batch.deliveries[0];
    assert_eq!(letter.message_id.as_deref(), Some("m-1"));
    assert_eq!(letter.header("x-outflow-code").as_deref(), Some("not_json"));
    assert_eq!(batch.ack().await, Settled::Sent);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inbox_stops_at_once_while_it_waits() {
    let (_stack, connections) = vhost().await;
    let stop = CancellationToken::new();
    // Its queue isn't there, so that it waits in the innermost of its loops.
    let mut inbox = Inbox::open(&connections, FACTS, LIMITS);
    let waits = tokio::spawn({
        let stop = stop.clone();
        async move { inbox.next_batch(&stop).await.is_none() }
    });
    tokio::task::yield_now().await;
    stop.cancel();
    assert!(tokio::time::timeout(Duration::from_secs(5), waits).await.unwrap().unwrap());
}
