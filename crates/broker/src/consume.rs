//! Taking messages in batches.
//!
//! ```text
//! next_batch ─▶ work, commit ─▶ batch.ack()
//!      ▲                            │
//!      └────────────────────────────┘
//! ```
//!
//! Delivery is at least once: when the connection breaks, everything that was
//! not acknowledged comes again, on a new connection and without the caller's help.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use lapin::options::{BasicConsumeOptions, BasicQosOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::connection::{Connections, Delays, Error, Session, describe};
use crate::receipt::{Ledger, Receipt, Settled, Verdict, settle};

/// How much a batch takes, and how long it waits for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchLimits {
    /// The most deliveries in a batch.
    pub max: usize,
    /// How long the first delivery waits for others.
    pub linger: Duration,
    /// Deliveries that the broker may send ahead. At least `max` is used.
    pub prefetch: u16,
}

impl BatchLimits {
    /// 128 deliveries and none ahead: a nudge stands for many rows, and a worker
    /// that comes to help should find some.
    pub const NUDGES: Self = Self { max: 128, linger: Duration::from_millis(5), prefetch: 128 };
}

impl Default for BatchLimits {
    /// 256 deliveries, 5 ms, and two batches ahead.
    fn default() -> Self {
        Self { max: 256, linger: Duration::from_millis(5), prefetch: 768 }
    }
}

/// One message in hand.
#[derive(Debug)]
pub struct Delivery {
    /// The bytes of the message.
    pub body: Vec<u8>,
    /// The AMQP property `message-id`.
    pub message_id: Option<String>,
    /// The AMQP property `content-type`.
    pub content_type: Option<String>,
    /// The AMQP property `user-id`: who published it. The broker lets nobody set
    /// another name than the one that logged in (S10).
    pub user_id: Option<String>,
    /// The queue that it came from.
    pub queue: Arc<str>,
    /// The routing key with which it was published.
    pub routing_key: String,
    /// Whether the broker delivered it before, to anybody.
    pub redelivered: bool,
    /// How often a delivery of it ended without an acknowledgement.
    pub delivery_count: u64,
    headers: FieldTable,
    receipt: Receipt,
}

impl Delivery {
    /// A header of the message as text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        match self.headers.inner().get(name)? {
            AMQPValue::LongString(text) => Some(text.to_string()),
            AMQPValue::ShortString(text) => Some(text.to_string()),
            _ => None,
        }
    }

    /// The message is done with: the broker may forget it.
    pub async fn ack(self) -> Settled {
        settle(vec![self.receipt], Verdict::Done).await
    }

    /// The message goes back to its queue and is delivered again.
    pub async fn requeue(self) -> Settled {
        settle(vec![self.receipt], Verdict::Requeue).await
    }
}

/// Deliveries that are worked on together.
///
/// A batch may be taken apart and put together again: any set of deliveries can
/// be settled at any time, in any order. What is dropped unsettled goes back to the queue.
#[derive(Debug, Default)]
#[must_use]
pub struct Batch {
    /// In the order of the queue.
    pub deliveries: Vec<Delivery>,
}

impl From<Vec<Delivery>> for Batch {
    fn from(deliveries: Vec<Delivery>) -> Self {
        Self { deliveries }
    }
}

impl Batch {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.deliveries.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.deliveries.is_empty()
    }

    /// All of them are done with. Only after the commit.
    pub async fn ack(self) -> Settled {
        settle(self.receipts(), Verdict::Done).await
    }

    /// All of them go back to the queue and are delivered again.
    pub async fn requeue(self) -> Settled {
        settle(self.receipts(), Verdict::Requeue).await
    }

    fn receipts(self) -> Vec<Receipt> {
        self.deliveries.into_iter().map(|delivery| delivery.receipt).collect()
    }
}

/// A consumer of one queue.
#[derive(Debug)]
pub struct Inbox {
    session: Session,
    queue: Arc<str>,
    limits: BatchLimits,
    live: Option<Live>,
}

/// A subscription on a channel that works, as far as anybody knows.
#[derive(Debug)]
struct Live {
    consumer: lapin::Consumer,
    ledger: Arc<Ledger>,
}

impl Inbox {
    /// An inbox for `queue`. It subscribes when the first batch is asked for.
    #[must_use]
    pub fn open(connections: &Connections, queue: &str, limits: BatchLimits) -> Self {
        Self { session: connections.consuming.clone(), queue: queue.into(), limits, live: None }
    }

    /// The next batch: whatever is ready up to the limit, after a short linger.
    ///
    /// Waits as long as there is nothing, or no broker. Nothing comes when `stop` is raised.
    pub async fn next_batch(&mut self, stop: &CancellationToken) -> Option<Batch> {
        tokio::select! {
            biased;
            () = stop.cancelled() => None,
            batch = self.gather() => Some(batch),
        }
    }

    /// May be canceled at any point: what it holds by then is dropped, and so
    /// goes back to the queue.
    async fn gather(&mut self) -> Batch {
        loop {
            let first = self.next().await;
            let deadline = Instant::now() + self.limits.linger;
            let mut deliveries = vec![first];
            while deliveries.len() < self.limits.max {
                match timeout_at(deadline, self.ready()).await {
                    Ok(Some(delivery)) => deliveries.push(delivery),
                    // The connection broke: everything in hand is delivered again.
                    Ok(None) => {
                        deliveries.clear();
                        break;
                    }
                    Err(_) => break,
                }
            }
            if !deliveries.is_empty() {
                return deliveries.into();
            }
        }
    }

    /// The next delivery, however long it takes and however often it must subscribe.
    async fn next(&mut self) -> Delivery {
        loop {
            if self.live.is_none() {
                self.live = Some(self.subscribe().await);
            }
            if let Some(live) = &self.live {
                live.ledger.requeue_abandoned().await;
            }
            if let Some(delivery) = self.ready().await {
                return delivery;
            }
        }
    }

    /// The next delivery of the present subscription; nothing when that has ended.
    async fn ready(&mut self) -> Option<Delivery> {
        let live = self.live.as_mut()?;
        let reason = match live.consumer.next().await {
            Some(Ok(delivery)) => return Some(receive(delivery, &self.queue, &live.ledger)),
            Some(Err(error)) => error.to_string(),
            None => "the broker ended the subscription".to_owned(),
        };
        warn!(queue = &*self.queue, reason, "A subscription broke; subscribing again");
        self.live = None;
        None
    }

    async fn subscribe(&self) -> Live {
        let mut delays = Delays::new();
        loop {
            let channel = self.session.channel().await;
            match self.try_subscribe(channel).await {
                Ok(live) => {
                    info!(queue = &*self.queue, "Subscribed");
                    return live;
                }
                Err(error) => {
                    let (delay, error) = (delays.next(), describe(&error));
                    warn!(queue = &*self.queue, error, ?delay, "Subscribing failed; again after a delay");
                    tokio::time::sleep(delay).await;
                }
            }
        }
    }

    async fn try_subscribe(&self, channel: lapin::Channel) -> Result<Live, Error> {
        let prefetch = self.limits.prefetch.max(u16::try_from(self.limits.max).unwrap_or(u16::MAX));
        channel.basic_qos(prefetch, BasicQosOptions::default()).await?;
        let queue = ShortString::try_new(&*self.queue).map_err(|_| Error::Address)?;
        let options = BasicConsumeOptions::default();
        let consumer = channel.basic_consume(queue, "".into(), options, FieldTable::default()).await?;
        Ok(Live { consumer, ledger: Ledger::new(channel) })
    }
}

fn receive(delivery: lapin::message::Delivery, queue: &Arc<str>, ledger: &Arc<Ledger>) -> Delivery {
    let properties = delivery.properties;
    let headers = properties.headers().clone().unwrap_or_default();
    Delivery {
        body: delivery.data,
        message_id: properties.message_id().as_ref().map(ToString::to_string),
        content_type: properties.content_type().as_ref().map(ToString::to_string),
        user_id: properties.user_id().as_ref().map(ToString::to_string),
        queue: Arc::clone(queue),
        routing_key: delivery.routing_key.to_string(),
        redelivered: delivery.redelivered,
        delivery_count: delivery_count(&headers),
        headers,
        receipt: ledger.hand_out(delivery.delivery_tag),
    }
}

/// Quorum queues count in `x-delivery-count`, in whichever integer fits.
fn delivery_count(headers: &FieldTable) -> u64 {
    match headers.inner().get("x-delivery-count") {
        Some(AMQPValue::LongLongInt(count)) => u64::try_from(*count).unwrap_or(0),
        Some(AMQPValue::LongInt(count)) => u64::try_from(*count).unwrap_or(0),
        Some(AMQPValue::LongUInt(count)) => u64::from(*count),
        Some(AMQPValue::ShortInt(count)) => u64::try_from(*count).unwrap_or(0),
        Some(AMQPValue::ShortShortInt(count)) => u64::try_from(*count).unwrap_or(0),
        Some(AMQPValue::ShortShortUInt(count)) => u64::from(*count),
        Some(AMQPValue::ShortUInt(count)) => u64::from(*count),
        _ => 0,
    }
}
