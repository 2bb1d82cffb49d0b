//! Two relays at once on a real broker: every message leaves, and those of one
//! withdrawal in their order.

mod stage;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use broker::topology::{self, DECISIONS, WORK};
use broker::{BatchLimits, Connections, Inbox, Publisher, Settled};
use devstack::{Options, Servers, Stack};
use serde_json::{Value, json};
use stage::{Stage, now};
use store::outbox::{self, Outgoing};
use tokio::sync::Barrier;
use tokio_util::sync::CancellationToken;
use workers::{Clock, relay};

/// Rounds, and the withdrawals that get a message in each.
const ROUNDS: usize = 1_000;
const KEYS: usize = 8;

/// A message for each withdrawal, before the race of the round begins.
async fn write(stage: &Stage, round: usize) {
    let messages: Vec<Outgoing> = (0..KEYS)
        .map(|key| Outgoing {
            key: format!("withdrawal-{key}"),
            exchange: WORK,
            routing_key: DECISIONS.to_owned(),
            content_type: "application/json",
            headers: json!({}),
            body: json!({ "key": key, "round": round }).to_string().into_bytes(),
        })
        .collect();
    let mut tx = stage.database.begin().await.expect("a transaction");
    outbox::put(&mut tx, &messages, now()).await.expect("an outbox");
    tx.commit().await.expect("a commit");
}

/// Reads until every key's last message was seen: the rounds of each key as they came.
async fn read(connections: &Connections) -> BTreeMap<u64, Vec<u64>> {
    let limits = BatchLimits { max: 500, linger: Duration::from_millis(20), prefetch: 1_000 };
    let mut inbox = Inbox::open(connections, DECISIONS, limits);
    let (stop, mut came) = (CancellationToken::new(), BTreeMap::<u64, Vec<u64>>::new());
    let last = u64::try_from(ROUNDS).expect("a count") - 1;
    while came.len() < KEYS || came.values().any(|rounds| !rounds.contains(&last)) {
        let batch = inbox.next_batch(&stop).await.expect("nobody stops it");
        for delivery in &batch.deliveries {
            let body: Value = serde_json::from_slice(&delivery.body).expect("a message of the test");
            let number = |name: &str| body[name].as_u64().expect("a number");
            came.entry(number("key")).or_default().push(number("round"));
        }
        assert_eq!(batch.ack().await, Settled::Sent, "the broker takes the word");
    }
    came
}

#[tokio::test(flavor = "multi_thread")]
async fn two_relays_at_once_keep_the_order_of_each_withdrawal() {
    let stage = Arc::new(Stage::new().await);
    let options = Options { servers: Servers::RabbitMqOnly, ..Options::default() };
    let rabbit = Stack::start(options).await.expect("a RabbitMQ");
    let url = rabbit.fresh_vhost().await.expect("a virtual host");
    let connections = Connections::open(&url, "relays").await.expect("a connection");
    topology::apply(&connections).await.expect("the topology");
    let barrier = Arc::new(Barrier::new(2));
    let rivals: Vec<_> = (0..2)
        .map(|rival| {
            let (stage, barrier) = (Arc::clone(&stage), Arc::clone(&barrier));
            let publisher = Publisher::new(&connections);
            tokio::spawn(async move {
                let (clock, mut confirmed) = (Clock::manual(now()), 0);
                for round in 0..ROUNDS {
                    if rival == 0 {
                        write(&stage, round).await;
                    }
                    barrier.wait().await;
                    confirmed +=
                        relay::pass(&publisher, &stage.database, &clock).await.expect("a pass").confirmed;
                }
                confirmed
            })
        })
        .collect();
    let mut confirmed = 0;
    for rival in rivals {
        confirmed += rival.await.expect("no relay fails");
    }
    let publisher = Publisher::new(&connections);
    confirmed +=
        relay::pass(&publisher, &stage.database, &Clock::manual(now())).await.expect("a pass").confirmed;
    assert_eq!(confirmed, ROUNDS * KEYS, "each message is marked once");
    let expected: Vec<u64> = (0..u64::try_from(ROUNDS).expect("a count")).collect();
    for (key, mut rounds) in read(&connections).await {
        rounds.dedup();
        assert_eq!(rounds, expected, "withdrawal {key}");
    }
}
