//! S08: the definitions on a real RabbitMQ: they make the topology, let every user do
//! its work, and nothing else.

#![expect(clippy::unwrap_used, reason = "a failed step of a test is a failed test")]

use std::time::Duration;

use broker::access::{Configures, SUBSCRIPTIONS, USERS, User};
use broker::topology::{self, DEAD_LETTERS, DECISIONS, EVENTS, FACTS, QUEUES, REQUESTS, WORK};
use broker::{BatchLimits, Connections, Inbox, Settled, definitions, password_hash};
use devstack::{Options, Servers, Stack};
use lapin::options::{
    BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions, QueueBindOptions, QueueDeclareOptions,
    QueueDeleteOptions, QueuePurgeOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use tokio_util::sync::CancellationToken;

/// AMQP's reply code for what a user may not do.
const REFUSED: u16 = 403;

/// A broker with the definitions of one virtual host, which no other test uses.
struct Scene {
    stack: Stack,
    vhost: String,
}

impl Scene {
    async fn set() -> Self {
        let stack =
            Stack::start(Options { servers: Servers::RabbitMqOnly, ..Options::default() }).await.unwrap();
        // Its URL ends in a name that nobody else has.
        let vhost = stack.fresh_vhost().await.unwrap().rsplit('/').next().unwrap().to_owned();
        let document = definitions(&vhost, &vhost, |name| Some(password_hash(&password(name), [1, 2, 3, 4])));
        stack.import_definitions(&document.to_string()).await.unwrap();
        Self { stack, vhost }
    }

    fn url(&self, user: &str, password: &str) -> String {
        let (_, place) = self.stack.amqp_url().split_once('@').unwrap();
        let (host, _) = place.split_once('/').unwrap();
        format!("amqp://{}_{user}:{password}@{host}/{}", self.vhost, self.vhost)
    }

    async fn connect(&self, user: &str) -> Connection {
        Connection::connect(&self.url(user, &password(user)), ConnectionProperties::default()).await.unwrap()
    }
}

fn password(user: &str) -> String {
    format!("Zr4-{user}-q7")
}

/// The reply code with which the broker refused, if it did.
fn code<T>(answer: &Result<T, lapin::Error>) -> Option<u16> {
    match answer.as_ref().err()?.kind() {
        lapin::ErrorKind::ProtocolError(error) => Some(error.get_id()),
        other => panic!("not an answer of the broker's: {other:?}"),
    }
}

/// Publishes and waits: a refusal comes as the channel's end.
async fn publish(connection: &Connection, exchange: &str, key: &str, user_id: Option<&str>) -> Option<u16> {
    let channel = connection.create_channel().await.unwrap();
    channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    let properties = match user_id {
        Some(user) => BasicProperties::default().with_user_id(user.into()),
        None => BasicProperties::default(),
    };
    let sent =
        channel.basic_publish(exchange.into(), key.into(), BasicPublishOptions::default(), b"x", properties);
    let answer = match sent.await {
        Ok(confirm) => tokio::time::timeout(Duration::from_secs(20), confirm).await.unwrap().map(drop),
        Err(error) => Err(error),
    };
    answer.as_ref().err()?;
    // The confirm fails with the channel; the reason is the next call's answer.
    Some(code(&answer).unwrap_or(REFUSED))
}

async fn get(channel: &Channel, queue: &str) -> Option<u16> {
    code(&channel.basic_get(queue.into(), BasicGetOptions { no_ack: true }).await)
}

async fn the_topology_is_whole_and_nobody_comes_in_without_a_password(scene: &Scene) {
    let connections = Connections::open(&scene.url("topology", &password("topology")), "test").await.unwrap();
    assert_eq!(topology::diff(&connections).await.unwrap(), []);
    topology::apply(&connections).await.unwrap();

    // Another import beside it changes nothing of what is there.
    let closed = definitions(&scene.vhost, &format!("{}_closed", scene.vhost), |_| None);
    scene.stack.import_definitions(&closed.to_string()).await.unwrap();
    for wrong in ["", "x", "guest"] {
        let url = scene.url("closed_intake", wrong);
        let refused = Connection::connect(&url, ConnectionProperties::default()).await;
        assert!(refused.is_err(), "the password {wrong:?} opens a user that has none");
    }
}

async fn every_user_does_what_it_must_and_is_refused_the_rest(scene: &Scene) {
    let exchanges = [
        (WORK, FACTS),
        (WORK, REQUESTS),
        (WORK, DECISIONS),
        (WORK, "payout.bank"),
        (EVENTS, "x.y"),
        (DEAD_LETTERS, ""),
    ];
    for user in USERS.iter().filter(|it| it.configures == Configures::Nothing) {
        let connection = scene.connect(user.name).await;
        for queue in QUEUES {
            let channel = connection.create_channel().await.unwrap();
            let expected = (!user.consumes.contains(&queue.name)).then_some(REFUSED);
            assert_eq!(get(&channel, queue.name).await, expected, "{} reads {}", user.name, queue.name);
        }
        for (exchange, key) in exchanges {
            let expected = (!publishes(user, exchange, key)).then_some(REFUSED);
            let answer = publish(&connection, exchange, key, None).await;
            assert_eq!(answer, expected, "{} publishes {exchange} {key}", user.name);
        }
        // The default exchange leads into every queue, past every routing key.
        assert_eq!(publish(&connection, "", REQUESTS, None).await, Some(REFUSED), "{}", user.name);
        changes_nothing(user, &connection).await;
        // It may still have a channel that the broker has just closed.
        drop(connection);
    }
}

fn publishes(user: &User, exchange: &str, key: &str) -> bool {
    user.publishes.iter().any(|(name, keys)| *name == exchange && (keys.is_empty() || keys.contains(&key)))
}

async fn changes_nothing(user: &User, connection: &Connection) {
    let fresh = || connection.create_channel();
    let (durable, table) = (QueueDeclareOptions::durable(), FieldTable::default);
    let made = fresh().await.unwrap().queue_declare("outflow.mine".into(), durable, table()).await;
    assert_eq!(code(&made), Some(REFUSED), "{} makes a queue", user.name);
    let gone = fresh().await.unwrap().queue_delete(FACTS.into(), QueueDeleteOptions::default()).await;
    assert_eq!(code(&gone), Some(REFUSED), "{} deletes a queue", user.name);
    let options = QueueBindOptions::default();
    let bound =
        fresh().await.unwrap().queue_bind(FACTS.into(), EVENTS.into(), "#".into(), options, table()).await;
    assert_eq!(code(&bound), Some(REFUSED), "{} binds a queue", user.name);
    if !user.consumes.contains(&FACTS) {
        let purged = fresh().await.unwrap().queue_purge(FACTS.into(), QueuePurgeOptions::default()).await;
        assert_eq!(code(&purged), Some(REFUSED), "{} empties a queue", user.name);
    }
    // How full a queue is may be asked by anybody: the metrics are made of it.
    let asks = QueueDeclareOptions { passive: true, ..durable };
    let asked = fresh().await.unwrap().queue_declare(FACTS.into(), asks, table()).await;
    assert_eq!(code(&asked), None, "{} counts a queue", user.name);
}

async fn who_listens_makes_queues_of_its_own_and_no_other(scene: &Scene) {
    let connection = scene.connect("upstream_events").await;
    let (durable, table) = (QueueDeclareOptions::durable(), FieldTable::default);
    let own = format!("{SUBSCRIPTIONS}billing");
    let channel = connection.create_channel().await.unwrap();
    channel.queue_declare(own.as_str().into(), durable, table()).await.unwrap();
    channel
        .queue_bind(own.as_str().into(), EVENTS.into(), "#".into(), QueueBindOptions::default(), table())
        .await
        .unwrap();
    let relay = scene.connect("relay").await;
    assert_eq!(publish(&relay, EVENTS, "withdrawal.completed", None).await, None);
    assert!(
        channel.basic_get(own.as_str().into(), BasicGetOptions { no_ack: true }).await.unwrap().is_some()
    );

    for name in ["billing", "outflow.billing", EVENTS] {
        let made =
            connection.create_channel().await.unwrap().queue_declare(name.into(), durable, table()).await;
        assert_eq!(code(&made), Some(REFUSED), "a queue {name}");
    }
    let fresh = connection.create_channel().await.unwrap();
    let tapped = fresh
        .queue_bind(own.as_str().into(), WORK.into(), "#".into(), QueueBindOptions::default(), table())
        .await;
    assert_eq!(code(&tapped), Some(REFUSED), "work is nobody else's to read");
    let fresh = connection.create_channel().await.unwrap();
    assert_eq!(get(&fresh, REQUESTS).await, Some(REFUSED));
}

async fn nobody_publishes_in_the_name_of_another(scene: &Scene) {
    let connection = scene.connect("upstream_requests").await;
    let named = |user: &str| format!("{}_{user}", scene.vhost);
    let own = named("upstream_requests");
    let reader = Connections::open(&scene.url("intake", &password("intake")), "test").await.unwrap();
    let channel = reader.consuming.try_channel().await.unwrap();
    channel.queue_purge(REQUESTS.into(), QueuePurgeOptions::default()).await.unwrap();
    assert_eq!(publish(&connection, WORK, REQUESTS, Some(&own)).await, None);
    let limits = BatchLimits { max: 1, ..BatchLimits::default() };
    let batch = Inbox::open(&reader, REQUESTS, limits).next_batch(&CancellationToken::new()).await.unwrap();
    assert_eq!(batch.deliveries[0].user_id.as_deref(), Some(own.as_str()), "the worker sees who it was");
    assert_eq!(batch.ack().await, Settled::Sent);
    // A precondition of the broker's own: 406.
    let forged = named("upstream_decisions");
    assert!(publish(&connection, WORK, REQUESTS, Some(&forged)).await.is_some());
}

// One broker takes one import after the other, so that there is one for all of it.
#[tokio::test(flavor = "multi_thread")]
async fn s08_s10_users_do_what_they_must_and_are_refused_the_rest() {
    let scene = Scene::set().await;
    the_topology_is_whole_and_nobody_comes_in_without_a_password(&scene).await;
    every_user_does_what_it_must_and_is_refused_the_rest(&scene).await;
    who_listens_makes_queues_of_its_own_and_no_other(&scene).await;
    nobody_publishes_in_the_name_of_another(&scene).await;
}
