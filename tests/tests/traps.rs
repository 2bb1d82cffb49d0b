//! Traps that cost somebody money: each was measured once, and must stay closed.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use broker::topology::{DEAD, FACTS};
use broker::{BatchLimits, Connections, Inbox, Outgoing, Published, Publisher, topology};
use devstack::{Options, Servers, Stack};
use lapin::options::QueueDeclareOptions;
use lapin::types::FieldTable;
use sqlx::Executor;
use store::{Database, Error};
use tests::proxy::{Cut, Proxy, Wire};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// How often each trap is walked into.
const ROUNDS: i64 = 50;

/// How long a server may take to finish what it was told.
const PATIENCE: Duration = Duration::from_secs(20);

/// Deaths of a consumer: more than the limit of five that lost a healthy message.
const DEATHS: u64 = 12;

async fn postgres() -> (Stack, String) {
    let options = Options { servers: Servers::PostgresOnly, ..Options::default() };
    let stack = Stack::start(options).await.expect("a PostgreSQL");
    let url = stack.fresh_database("traps").await.expect("a database");
    let database = Database::connect(&url, 1).await.expect("a connection");
    let table = "create table kept (number bigint primary key)";
    database.pool().execute(table).await.expect("a table");
    (stack, url)
}

async fn is_kept(witness: &Database, number: i64) -> bool {
    let kept = sqlx::query_scalar("select exists (select 1 from kept where number = $1)").bind(number);
    kept.fetch_one(witness.pool()).await.expect("an answer")
}

/// Looks at a future so many times and drops it then; whether that was before its end.
async fn is_canceled(future: impl Future, looks: i64) -> bool {
    let mut future = pin!(future);
    for _ in 0..looks {
        if poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_ready())).await {
            return false;
        }
        // The server's answer may arrive meanwhile.
        tokio::task::yield_now().await;
    }
    true
}

/// sqlx 0.9.0: a `begin` that is canceled half-way can leave its transaction open on
/// the pooled connection, and every later write there is acknowledged and lost.
#[tokio::test]
async fn a_write_after_a_canceled_begin_is_kept() {
    let (_stack, url) = postgres().await;
    let database = Database::connect(&url, 1).await.expect("a connection");
    let witness = Database::connect(&url, 1).await.expect("a second connection");
    let mut canceled = 0;
    for number in 0..ROUNDS {
        // The cut falls into another moment of the exchange each time.
        canceled += i64::from(is_canceled(database.begin(), 1 + 2 * number).await);
        let insert = sqlx::query("insert into kept values ($1)").bind(number);
        insert.execute(database.pool()).await.expect("it is acknowledged");
        assert!(is_kept(&witness, number).await, "write {number} was acknowledged and is lost");
    }
    assert!(canceled > 0, "no begin was canceled, so this shows nothing");
}

/// The same trap without the guard, to show that the test above can fail.
#[tokio::test]
async fn without_the_rollback_an_open_transaction_swallows_the_write() {
    let (_stack, url) = postgres().await;
    let pool = sqlx::PgPool::connect_lazy(&url).expect("a pool without guards");
    let witness = Database::connect(&url, 1).await.expect("a second connection");
    let mut connection = pool.acquire().await.expect("a connection");
    // What a canceled begin leaves behind.
    connection.execute("begin").await.expect("a transaction that nobody knows of");
    sqlx::query("insert into kept values (1)").execute(&mut *connection).await.expect("acknowledged");
    assert!(!is_kept(&witness, 1).await, "the write waits for a commit that never comes");
}

/// An error of a commit says nothing: cut before it nothing is there, cut after it all
/// is. So nothing is acknowledged, and the unique key decides when it is tried again.
#[tokio::test(flavor = "multi_thread")]
async fn an_error_of_a_commit_says_nothing_and_trying_again_is_safe() {
    let (_stack, url) = postgres().await;
    let server = url.split(['@', '/']).find(|it| it.contains("127.0.0.1")).expect("a host").to_owned();
    let proxy =
        Proxy::open(vec![server.parse().expect("an address")], Wire::Postgres).await.expect("a proxy");
    let through = url.replace(&server, &proxy.address().to_string());
    let database = Database::connect(&through, 2).await.expect("a connection");
    let witness = Database::connect(&url, 1).await.expect("a second connection");
    for (number, cut) in (0..ROUNDS).map(|it| (it, if it % 2 == 0 { Cut::Before } else { Cut::After })) {
        let write = async || {
            let mut tx = begin(&database).await;
            let insert = "insert into kept values ($1) on conflict do nothing";
            sqlx::query(insert).bind(number).execute(&mut *tx).await.expect("it is written");
            tx.commit().await.map_err(Error::from)
        };
        proxy.cut_next(cut);
        let first = write().await;
        assert!(matches!(first, Err(Error::Unavailable(_))), "{cut:?} is not certain: {first:?}");
        match cut {
            Cut::Before => assert!(!is_kept(&witness, number).await, "round {number}: no commit arrived"),
            // The client is told of the cut before the server has finished.
            Cut::After => timeout(PATIENCE, async { while !is_kept(&witness, number).await {} })
                .await
                .expect("the commit arrived"),
        }
        write().await.expect("nothing is cut any more");
        assert!(is_kept(&witness, number).await);
    }
    assert_eq!(proxy.cuts_made(), u64::try_from(ROUNDS).expect("a small number"));
}

/// A transaction on whichever connection is left.
async fn begin(database: &Database) -> store::Tx {
    for _ in 0..10 {
        if let Ok(tx) = database.begin().await {
            return tx;
        }
    }
    panic!("no connection works any more");
}

/// RabbitMQ counts the death of a consumer as a delivery: with a limit of five a
/// healthy message was a dead letter after six of them.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_outlives_its_consumers() {
    let options = Options { servers: Servers::RabbitMqOnly, ..Options::default() };
    let stack = Stack::start(options).await.expect("a RabbitMQ");
    let url = stack.fresh_vhost().await.expect("a virtual host");
    let connections = Connections::open(&url, "traps").await.expect("a connection");
    topology::apply(&connections).await.expect("the topology");
    let message = Outgoing::work(FACTS, "healthy", b"{}".to_vec());
    assert_eq!(Publisher::new(&connections).publish(message).await, Published::Confirmed);
    let stop = CancellationToken::new();
    for _ in 0..DEATHS {
        let dies = Connections::open(&url, "dies").await.expect("a connection");
        let mut inbox = Inbox::open(&dies, FACTS, BatchLimits::default());
        let batch = inbox.next_batch(&stop).await.expect("the message");
        assert_eq!(batch.len(), 1);
        // They go together, and nothing was settled.
        drop((inbox, batch, dies));
    }
    let mut inbox = Inbox::open(&connections, FACTS, BatchLimits::default());
    let batch = inbox.next_batch(&stop).await.expect("the message, once more");
    let delivery = &batch.deliveries[0];
    assert_eq!(delivery.message_id.as_deref(), Some("healthy"));
    assert!(delivery.delivery_count >= DEATHS, "it was delivered {} times before", delivery.delivery_count);
    let channel = connections.consuming.try_channel().await.expect("a channel");
    let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::durable() };
    let dead = channel.queue_declare(DEAD.into(), options, FieldTable::default()).await.expect("the queue");
    assert_eq!(dead.message_count(), 0, "a healthy message is no dead letter");
}
