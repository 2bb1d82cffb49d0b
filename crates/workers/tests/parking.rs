//! Dead letters come into the books, whoever put them among the dead, and people deal with all of them.

#[path = "stage/mod.rs"]
mod stage;

use std::time::Duration;

use broker::topology::{self, DEAD, DEAD_LETTERS, REQUESTS};
use broker::{BatchLimits, Connections, Inbox, Outgoing, Published, Publisher};
use devstack::{Options, Stack};
use lapin::options::{BasicGetOptions, BasicNackOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use serde_json::json;
use store::parked::{self, Kept, Wanted};
use store::{Database, outbox};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use workers::dead_letter;
use workers::parking::{self, Tally};

/// Servers of which this test has its own corner.
struct Scene {
    _stack: Stack,
    connections: Connections,
    database: Database,
}

impl Scene {
    async fn set() -> Self {
        let stack = Stack::start(Options::default()).await.expect("servers");
        let database =
            Database::connect(&stack.fresh_database("parking").await.expect("a database"), 4).await;
        let database = database.expect("a connection");
        database.migrate().await.expect("the schema");
        let vhost = stack.fresh_vhost().await.expect("a virtual host");
        let connections = Connections::open(&vhost, "parking").await.expect("the broker");
        topology::apply(&connections).await.expect("the topology");
        Self { _stack: stack, connections, database }
    }

    async fn publish(&self, message: Outgoing) {
        assert_eq!(Publisher::new(&self.connections).publish(message).await, Published::Confirmed);
    }

    /// Takes `count` dead letters into the books, and acknowledges them.
    async fn pass(&self, count: usize) -> Tally {
        let stop = CancellationToken::new();
        let limits = BatchLimits { max: count, linger: Duration::from_secs(10), prefetch: 16 };
        let mut inbox = Inbox::open(&self.connections, DEAD, limits);
        let batch = tokio::time::timeout(Duration::from_mins(1), inbox.next_batch(&stop)).await;
        let batch = batch.expect("a dead letter within a minute").expect("nobody stops");
        assert_eq!(batch.len(), count);
        let tally = parking::take(&self.database, &batch.deliveries, &stage::vault(), stage::now()).await;
        let tally = tally.expect("a pass");
        assert_eq!(batch.ack().await, broker::Settled::Sent);
        tally
    }

    async fn waiting(&self) -> Vec<Kept> {
        let mut connection = self.database.pool().acquire().await.expect("a connection");
        let wanted = Wanted { limit: 10, ..Wanted::default() };
        parked::page(&mut connection, &wanted).await.expect("a page")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_was_delivered_too_often_is_parked_mended_and_sent_again() {
    let scene = Scene::set().await;
    let request = stage::request("poison", "88.80", json!({}));
    scene.publish(Outgoing::work(REQUESTS, "poison", request.to_json())).await;
    // Whoever takes it breaks down, until the broker has had enough.
    let channel = scene.connections.consuming.try_channel().await.expect("a channel");
    let mut deliveries = 0;
    let looks = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::durable() };
    loop {
        let got = channel.basic_get(REQUESTS.into(), BasicGetOptions::default()).await.expect("an answer");
        if let Some(message) = got {
            deliveries += 1;
            let back = BasicNackOptions { requeue: true, ..BasicNackOptions::default() };
            message.delivery.acker.nack(back).await.expect("it goes back");
        } else {
            let dead =
                channel.queue_declare(DEAD.into(), looks, FieldTable::default()).await.expect("the queue");
            if dead.message_count() == 1 {
                break;
            }
            // It is on its way from one queue to the other.
            tokio::task::yield_now().await;
        }
        assert!(deliveries < 1_000, "the broker never has enough");
    }
    assert!(deliveries > 50, "after {deliveries} deliveries");

    assert_eq!(scene.pass(1).await, Tally { known: 0, parked: 1 });
    let rows = scene.waiting().await;
    let [row] = rows.as_slice() else { panic!("one row: {rows:?}") };
    assert_eq!((row.queue.as_str(), row.message_id.as_deref()), (REQUESTS, Some("poison")));
    assert_eq!(row.problem["code"], "delivery_limit");
    assert_eq!(row.headers["died_of"], "delivery_limit");
    let vault = stage::vault();
    assert_eq!(dead_letter::open(row.id, &row.body, &vault).expect("it opens"), request.to_json());

    let mut tx = scene.database.begin().await.expect("a transaction");
    workers::parked::replay(&mut tx, &vault, (row.id, None), ("ops", "the worker is mended"), stage::now())
        .await
        .expect("it is sent again");
    tx.commit().await.expect("a commit");
    let mut tx = scene.database.begin().await.expect("a transaction");
    let shards = outbox::claim_shards(&mut tx).await.expect("every shard");
    let again = outbox::unpublished(&mut tx, &shards, 10).await.expect("the outbox");
    assert_eq!(again.len(), 1);
    assert_eq!((again[0].routing_key.as_str(), &again[0].body), (REQUESTS, &request.to_json()));
    assert_eq!(scene.waiting().await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_with_a_row_is_known_and_one_that_only_says_so_is_parked() {
    let scene = Scene::set().await;
    let problem = broker::contract::Problem::rejection("not_json", "for the test");
    let letter =
        dead_letter::Letter { message_id: Some("m"), redelivered: false, headers: json!({}), body: b"{" };
    let (row, outgoing) = dead_letter::park(letter, REQUESTS, &problem, &stage::vault());
    let mut tx = scene.database.begin().await.expect("a transaction");
    parked::put(&mut tx, std::slice::from_ref(&row), stage::now()).await.expect("the row");
    tx.commit().await.expect("a commit");
    let dead = |id: Uuid, body: &[u8]| Outgoing {
        exchange: DEAD_LETTERS.to_owned(),
        headers: [("x-outflow-parked".to_owned(), id.to_string())].into(),
        ..Outgoing::work(REQUESTS, "m", body.to_vec())
    };
    scene.publish(dead(row.id, &outgoing.body)).await;
    scene.publish(dead(Uuid::now_v7(), b"forged")).await;
    assert_eq!(scene.pass(2).await, Tally { known: 1, parked: 1 });
    let codes: Vec<_> = scene.waiting().await.iter().map(|it| it.problem["code"].clone()).collect();
    assert!(
        codes.len() == 2 && codes.contains(&json!("not_json")) && codes.contains(&json!("dead_lettered")),
        "{codes:?}"
    );
}
