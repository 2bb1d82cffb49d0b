//! The worker as it runs: from a real queue, and back with acknowledgements.

use std::time::Duration;

use broker::topology::{self, FACTS};
use broker::{BatchLimits, Connections, Inbox, Outgoing, Publisher};
use devstack::Servers;
use tokio_util::sync::CancellationToken;
use workers::{Clock, facts};

use crate::world::{World, billed, credited, noon, upserted};

#[tokio::test]
async fn facts_go_from_the_queue_into_the_ledger_and_are_acknowledged() {
    let world = World::with(Servers::Both).await;
    let url = world.stack.fresh_vhost().await.unwrap();
    let connections = Connections::open(&url, "facts test").await.unwrap();
    topology::apply(&connections).await.unwrap();
    let mut bodies: Vec<Vec<u8>> = Vec::new();
    for account in ["a", "b"] {
        for message in
            [billed(account, 3, "4.00"), credited(account, 2, "t", "10.00", 1), upserted(account, 1)]
        {
            bodies.push(message.to_string().into_bytes());
        }
    }
    bodies.push(b"{}".to_vec());
    let messages: Vec<Outgoing> = bodies
        .iter()
        .enumerate()
        .map(|(place, body)| Outgoing::work(FACTS, place.to_string(), body.clone()))
        .collect();
    Publisher::new(&connections).publish_all(&messages).await;

    let stop = CancellationToken::new();
    let inbox = Inbox::open(&connections, FACTS, BatchLimits::default());
    let clock = Clock::manual(noon());
    let desk = world.desk.clone();
    let worker = tokio::spawn(facts::run(inbox, desk.database, desk.vault, clock, stop.clone()));
    let done =
        "select (select count(*) from fact where applied_at is not null) + (select count(*) from outbox)
                    || '' as done";
    tokio::time::timeout(Duration::from_secs(30), async {
        while world.text(done).await != "7" {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .expect("all messages are dealt with");
    stop.cancel();
    worker.await.unwrap().unwrap();
    for account in ["a", "b"] {
        assert_eq!(world.remaining(account).await, "t 600");
    }

    // Everything was acknowledged: a second worker is given only what comes after it.
    let marker = upserted("c", 1).to_string().into_bytes();
    Publisher::new(&connections).publish_all(&[Outgoing::work(FACTS, "marker", marker)]).await;
    let mut inbox = Inbox::open(&connections, FACTS, BatchLimits::default());
    let batch = inbox.next_batch(&CancellationToken::new()).await.expect("a batch");
    let ids: Vec<_> = batch.deliveries.iter().map(|it| it.message_id.clone()).collect();
    assert_eq!(ids, [Some("marker".to_owned())]);
    let _ = batch.ack().await;
}
