//! Every exchange, queue and binding, as one table; applied, and compared with
//! what the broker has.
//!
//! Holds on RabbitMQ 3.10 to 4.x. A dead letter is kept at least once, which
//! needs `reject-publish`: with any other overflow the broker silently falls
//! back to at most once. The delivery limit is high because a consumer's death
//! counts as a delivery: what is poison is judged by the workers, not by it.

use std::fmt;

use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, ExchangeKind};
use serde_json::Value;

use crate::connection::{Connections, Error, NOT_FOUND, refusal};

/// The exchange that feeds the work queues; a routing key is a queue's name. A topic exchange, because only of
/// those the broker checks who may use which routing key ([`crate::access`]).
pub const WORK: &str = "outflow.work";
/// The exchange of status events; routing keys such as `withdrawal.completed`.
pub const EVENTS: &str = "outflow.events";
/// The exchange of dead letters; the routing key is the queue that they died in.
pub const DEAD_LETTERS: &str = "outflow.dead-letters";

/// Facts about accounts, from upstream.
pub const FACTS: &str = "outflow.facts";
/// Withdrawal requests, from upstream.
pub const REQUESTS: &str = "outflow.requests";
/// Withdrawals that wait for the approval worker.
pub const APPROVALS: &str = "outflow.approvals";
/// People's decisions.
pub const DECISIONS: &str = "outflow.decisions";
/// Legs for the Alipay adapter.
pub const PAYOUT_ALIPAY: &str = "payout.alipay";
/// Legs for the WeChat Pay adapter.
pub const PAYOUT_WECHAT: &str = "payout.wechat";
/// Legs for the `UnionPay` adapter.
pub const PAYOUT_UNIONPAY: &str = "payout.unionpay";
/// Legs for the bank adapter.
pub const PAYOUT_BANK: &str = "payout.bank";
/// Messages that nobody could work on.
pub const DEAD: &str = "outflow.dead";

/// Deliveries of one message before the broker takes it for poison.
const DELIVERY_LIMIT: i64 = 50;

/// The queue of dead letters has no way out, so that its limit must never be met:
/// from 4.0 on a queue without a limit of its own drops after 20 deliveries.
const NO_DELIVERY_LIMIT: i64 = 1_000_000_000;

/// How an exchange routes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// To every queue.
    Fanout,
    /// By patterns of keys.
    Topic,
}

/// An exchange. All are durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exchange {
    /// The name in RabbitMQ.
    pub name: &'static str,
    /// How it routes.
    pub kind: Kind,
}

/// A quorum queue, and the one binding that fills it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Queue {
    /// The name in RabbitMQ, and in the console and the metrics.
    pub name: &'static str,
    /// The exchange that it is bound to.
    pub exchange: &'static str,
    /// The routing key that fills it.
    pub key: &'static str,
    /// Deliveries of one message before it is dead-lettered.
    pub delivery_limit: i64,
    /// Messages before publishers are refused.
    pub max_messages: i64,
    /// Bytes before publishers are refused.
    pub max_bytes: i64,
    /// Where messages go that the broker takes for poison.
    pub dead_letters: Option<&'static str>,
}

/// Every exchange.
pub const EXCHANGES: &[Exchange] = &[
    Exchange { name: WORK, kind: Kind::Topic },
    Exchange { name: EVENTS, kind: Kind::Topic },
    Exchange { name: DEAD_LETTERS, kind: Kind::Fanout },
];

/// Every queue, in the order in which a withdrawal passes through them.
pub const QUEUES: &[Queue] = &[
    work(FACTS),
    work(REQUESTS),
    work(APPROVALS),
    work(DECISIONS),
    work(PAYOUT_ALIPAY),
    work(PAYOUT_WECHAT),
    work(PAYOUT_UNIONPAY),
    work(PAYOUT_BANK),
    Queue {
        name: DEAD,
        exchange: DEAD_LETTERS,
        key: "",
        delivery_limit: NO_DELIVERY_LIMIT,
        dead_letters: None,
        ..work(DEAD)
    },
];

/// A queue that workers empty.
const fn work(name: &'static str) -> Queue {
    Queue {
        name,
        exchange: WORK,
        key: name,
        delivery_limit: DELIVERY_LIMIT,
        max_messages: 2_000_000,
        max_bytes: 8 * 1024 * 1024 * 1024,
        dead_letters: Some(DEAD_LETTERS),
    }
}

/// The queue of a payout rail.
#[must_use]
pub const fn payout_queue(rail: domain::Rail) -> &'static str {
    match rail {
        domain::Rail::Alipay => PAYOUT_ALIPAY,
        domain::Rail::WeChat => PAYOUT_WECHAT,
        domain::Rail::UnionPay => PAYOUT_UNIONPAY,
        domain::Rail::Bank => PAYOUT_BANK,
    }
}

impl Queue {
    /// Its arguments, by which the broker knows it.
    pub(crate) fn settings(&self) -> Vec<(&'static str, Setting)> {
        let mut settings =
            vec![("x-queue-type", Setting::Text("quorum")), ("x-overflow", Setting::Text("reject-publish"))];
        if let Some(exchange) = self.dead_letters {
            settings.extend([
                ("x-dead-letter-exchange", Setting::Text(exchange)),
                ("x-dead-letter-routing-key", Setting::Text(self.name)),
                ("x-dead-letter-strategy", Setting::Text("at-least-once")),
            ]);
        }
        settings.extend([
            ("x-delivery-limit", Setting::Number(self.delivery_limit)),
            ("x-max-length", Setting::Number(self.max_messages)),
            ("x-max-length-bytes", Setting::Number(self.max_bytes)),
        ]);
        settings
    }

    /// What RabbitMQ is told when the queue is declared.
    fn arguments(&self) -> FieldTable {
        let mut table = FieldTable::default();
        for (name, value) in self.settings() {
            table.insert(name.into(), value.into());
        }
        table
    }

    async fn declare(&self, channel: &Channel, passive: Passive) -> Result<(), lapin::Error> {
        let options = QueueDeclareOptions { passive: passive.into(), ..QueueDeclareOptions::durable() };
        channel.queue_declare(self.name.into(), options, self.arguments()).await.map(drop)
    }
}

/// The value of an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Setting {
    Text(&'static str),
    Number(i64),
}

impl From<Setting> for AMQPValue {
    fn from(setting: Setting) -> Self {
        match setting {
            Setting::Text(text) => Self::LongString(text.into()),
            Setting::Number(number) => Self::LongLongInt(number),
        }
    }
}

impl From<Setting> for Value {
    fn from(setting: Setting) -> Self {
        match setting {
            Setting::Text(text) => text.into(),
            Setting::Number(number) => number.into(),
        }
    }
}

impl Exchange {
    async fn declare(&self, channel: &Channel, passive: Passive) -> Result<(), lapin::Error> {
        let kind = match self.kind {
            Kind::Fanout => ExchangeKind::Fanout,
            Kind::Topic => ExchangeKind::Topic,
        };
        let options = ExchangeDeclareOptions {
            passive: passive.into(),
            durable: true,
            ..ExchangeDeclareOptions::default()
        };
        channel.exchange_declare(self.name.into(), kind, options, FieldTable::default()).await
    }
}

/// Whether a declaration only asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Passive {
    Asks,
    Creates,
}

impl From<Passive> for bool {
    fn from(passive: Passive) -> Self {
        passive == Passive::Asks
    }
}

/// Something that the broker lacks or has otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What it is about, such as `queue outflow.facts`.
    pub object: String,
    /// What is different, in the broker's words where it has any.
    pub detail: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.object, self.detail)
    }
}

/// Creates whatever is missing. Doing it twice changes nothing.
///
/// # Errors
/// When the broker is away, or has an object of ours with other arguments: such a
/// one must be emptied and deleted by a person.
pub async fn apply(connections: &Connections) -> Result<(), Error> {
    let channel = connections.publishing.try_channel().await?;
    for exchange in EXCHANGES {
        exchange.declare(&channel, Passive::Creates).await?;
    }
    for queue in QUEUES {
        queue.declare(&channel, Passive::Creates).await?;
        let (name, exchange, key) = (queue.name.into(), queue.exchange.into(), queue.key.into());
        let options = QueueBindOptions::default();
        channel.queue_bind(name, exchange, key, options, FieldTable::default()).await?;
    }
    Ok(())
}

/// What the broker lacks or has otherwise. Changes nothing.
///
/// AMQP has no question about bindings, so that a binding which somebody removed
/// isn't found here; [`apply`] puts it back. Of several wrong arguments of one
/// object the broker names the first.
///
/// # Errors
/// When the broker is away, or the user may not ask.
pub async fn diff(connections: &Connections) -> Result<Vec<Difference>, Error> {
    let mut differences = Vec::new();
    for exchange in EXCHANGES {
        let declare = async |channel: Channel, passive| exchange.declare(&channel, passive).await;
        differences.extend(compare(connections, format!("exchange {}", exchange.name), declare).await?);
    }
    for queue in QUEUES {
        let declare = async |channel: Channel, passive| queue.declare(&channel, passive).await;
        differences.extend(compare(connections, format!("queue {}", queue.name), declare).await?);
    }
    Ok(differences)
}

/// Asks about one object. Every answer but yes closes its channel, so each
/// question has its own. The second question would create the object, and is
/// put only when the first said that it is there.
async fn compare(
    connections: &Connections,
    object: String,
    declare: impl AsyncFn(Channel, Passive) -> Result<(), lapin::Error>,
) -> Result<Option<Difference>, Error> {
    const INEQUIVALENT: u16 = 406;
    for passive in [Passive::Asks, Passive::Creates] {
        let channel = connections.publishing.try_channel().await?;
        let Err(error) = declare(channel, passive).await else { continue };
        let detail = match refusal(&error) {
            Some(NOT_FOUND) => "is missing".to_owned(),
            Some(INEQUIVALENT) => format!("is different: {error}"),
            _ => return Err(error.into()),
        };
        return Ok(Some(Difference { object, detail }));
    }
    Ok(None)
}
