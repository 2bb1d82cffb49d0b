//! A broker that is killed and comes back, seen by a consumer and a publisher
//! that nobody restarts; and one that has an alarm.

use std::collections::BTreeSet;
use std::time::Duration;

use broker::topology::{self, FACTS};
use broker::{BatchLimits, Connections, Inbox, Outgoing, Published, Publisher, Settled};
use devstack::{Environment, Options, Servers, Stack};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

fn messages(numbers: std::ops::Range<usize>) -> Vec<Outgoing> {
    numbers.map(|number| Outgoing::work(FACTS, number.to_string(), number.to_string().into_bytes())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_broker_costs_repeats_and_nothing_else() {
    let options =
        Options { servers: Servers::RabbitMqOnly, environment: Environment::Ignored, ..Options::default() };
    let stack = Stack::start(options).await.unwrap();
    let connections = Connections::open(stack.amqp_url(), "outage").await.unwrap();
    topology::apply(&connections).await.unwrap();
    let publisher = Publisher::new(&connections).with_confirm_limit(Duration::from_secs(2));
    assert_eq!(publisher.publish_all(&messages(0..10)).await, vec![Published::Confirmed; 10]);

    let stop = CancellationToken::new();
    let limits = BatchLimits { max: 10, linger: Duration::from_millis(500), prefetch: 10 };
    let mut inbox = Inbox::open(&connections, FACTS, limits);
    let in_hand = inbox.next_batch(&stop).await.unwrap();
    assert_eq!(in_hand.len(), 10);

    stack.rabbitmq().unwrap().kill().await.unwrap();
    // A worker that commits now is told, and goes on.
    let outcomes = publisher.publish_all(&messages(10..15)).await;
    assert!(outcomes.iter().all(|it| matches!(it, Published::Unknown(_))), "{outcomes:?}");
    assert_eq!(in_hand.ack().await, Settled::Lost);

    // Both are already waiting when the broker comes back.
    let consumer = tokio::spawn(async move {
        let mut seen = BTreeSet::new();
        let mut redelivered = 0;
        while seen.len() < 15 {
            let batch = inbox.next_batch(&stop).await.unwrap();
            for delivery in &batch.deliveries {
                seen.insert(String::from_utf8_lossy(&delivery.body).into_owned());
                redelivered += usize::from(delivery.redelivered);
            }
            let _ = batch.ack().await;
        }
        redelivered
    });
    let sender = tokio::spawn(async move {
        let mut left = messages(10..15);
        while !left.is_empty() {
            let outcomes = publisher.publish_all(&left).await;
            let mut outcomes = outcomes.into_iter();
            left.retain(|_| outcomes.next() != Some(Published::Confirmed));
        }
    });
    stack.rabbitmq().unwrap().start().await.unwrap();

    timeout(Duration::from_mins(1), sender).await.expect("the publisher comes back").unwrap();
    let redelivered =
        timeout(Duration::from_mins(1), consumer).await.expect("the consumer comes back").unwrap();
    assert!(redelivered >= 10, "the batch in hand came again: {redelivered}");
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn during_an_alarm_publishing_is_unknown_in_time_and_consuming_goes_on() {
    let options = Options {
        servers: Servers::RabbitMqOnly,
        environment: Environment::Ignored,
        // Less than an idle broker needs, so that the alarm never ends.
        rabbitmq_settings: vec![("vm_memory_high_watermark.absolute".to_owned(), "1MB".to_owned())],
        ..Options::default()
    };
    let stack = Stack::start(options).await.unwrap();
    let connections = Connections::open(stack.amqp_url(), "alarm").await.unwrap();
    topology::apply(&connections).await.unwrap();
    let publisher = Publisher::new(&connections).with_confirm_limit(Duration::from_secs(1));
    for _ in 0..2 {
        let outcomes = timeout(Duration::from_secs(10), publisher.publish_all(&messages(0..3))).await;
        let outcomes = outcomes.expect("the limit holds during an alarm");
        assert!(outcomes.iter().all(|it| matches!(it, Published::Unknown(_))), "{outcomes:?}");
    }

    let stop = CancellationToken::new();
    let mut inbox = Inbox::open(&connections, FACTS, BatchLimits::default());
    let nothing = timeout(Duration::from_secs(1), inbox.next_batch(&stop)).await;
    assert!(nothing.is_err(), "the frozen messages have not arrived");
    let channel = timeout(Duration::from_secs(5), connections.consuming.try_channel()).await;
    channel.expect("the consuming connection answers").unwrap();
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_that_freezes_publishing_lets_acknowledgements_through() {
    let options =
        Options { servers: Servers::RabbitMqOnly, environment: Environment::Ignored, ..Options::default() };
    let stack = Stack::start(options).await.unwrap();
    let connections = Connections::open(stack.amqp_url(), "alarm").await.unwrap();
    topology::apply(&connections).await.unwrap();
    let publisher = Publisher::new(&connections).with_confirm_limit(Duration::from_secs(1));
    assert!(publisher.publish_all(&messages(0..3)).await.iter().all(|it| *it == Published::Confirmed));
    let stop = CancellationToken::new();
    let mut inbox = Inbox::open(&connections, FACTS, BatchLimits::default());
    let mut taken = inbox.next_batch(&stop).await.unwrap();
    while taken.len() < 3 {
        taken.deliveries.extend(inbox.next_batch(&stop).await.unwrap().deliveries);
    }

    let rabbitmq = stack.rabbitmq().unwrap();
    rabbitmq.alarm().await.unwrap();
    // A connection that publishes now is frozen, with everything else on it.
    let frozen = publisher.publish_all(&messages(3..4)).await;
    assert!(matches!(frozen[..], [Published::Unknown(_)]), "{frozen:?}");
    let settled = timeout(Duration::from_secs(5), taken.ack()).await.expect("the other connection is not");
    assert_eq!(settled, Settled::Sent);
    // Had it been lost, these three would come back to the next one who asks.
    drop(inbox);
    rabbitmq.end_alarm().await.unwrap();
    let fresh = Connections::open(stack.amqp_url(), "after").await.unwrap();
    let after = Publisher::new(&fresh).publish_all(&messages(4..5)).await;
    assert_eq!(after, [Published::Confirmed]);
    let mut inbox = Inbox::open(&fresh, FACTS, BatchLimits::default());
    let mut seen = Vec::new();
    while !seen.contains(&"4".to_owned()) {
        let batch = inbox.next_batch(&stop).await.unwrap();
        seen.extend(batch.deliveries.iter().filter_map(|it| it.message_id.clone()));
        assert_eq!(batch.ack().await, Settled::Sent);
    }
    assert!(!["0", "1", "2"].iter().any(|it| seen.contains(&(*it).to_owned())), "{seen:?}");
    stack.stop().await.unwrap();
}
