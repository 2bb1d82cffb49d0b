//! Publishing with confirms, many in flight.
//!
//! A confirm alone says nothing about arrival: RabbitMQ confirms a message that
//! is routed nowhere. So work is published `mandatory`, and a message that is
//! confirmed AND returned counts as returned. Whatever is not certain is
//! [`Published::Unknown`]: publish again, the receivers drop repeats.

use std::collections::BTreeMap;
use std::time::Duration;

use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};

use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{BasicProperties, Channel, Confirmation, PublisherConfirm};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};
use tracing::warn;

use crate::Error;
use crate::connection::{Connections, Session, describe};
use crate::contract::CONTENT_TYPE;
use crate::topology::{EVENTS, WORK};

/// Confirms in flight: more gains nothing (15,800/s with 64, 17,500/s with 1,024).
const WINDOW: usize = 1024;

/// How long a window may wait for its confirms.
const CONFIRM_LIMIT: Duration = Duration::from_secs(10);

/// AMQP's mark of a message that survives a restart of the broker.
const PERSISTENT: u8 = 2;

/// What to do about a message for which there is no queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Routing {
    /// Say so: [`Published::Returned`].
    Mandatory,
    /// Nothing: nobody listens, and that is fine.
    Optional,
}

/// A message on its way out. It is persistent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The exchange; the empty name is the default one, where the key is a queue.
    pub exchange: String,
    /// The routing key.
    pub routing_key: String,
    /// Whether it must reach a queue.
    pub routing: Routing,
    /// The AMQP property `message-id`.
    pub message_id: String,
    /// The AMQP property `content-type`.
    pub content_type: String,
    /// Headers as texts.
    pub headers: BTreeMap<String, String>,
    /// The bytes.
    pub body: Vec<u8>,
}

impl Outgoing {
    /// A message for a work queue. It must arrive.
    #[must_use]
    pub fn work(queue: &str, message_id: impl Into<String>, body: Vec<u8>) -> Self {
        Self::new((WORK, queue), Routing::Mandatory, message_id.into(), body)
    }

    /// An event for whoever listens.
    #[must_use]
    pub fn event(routing_key: &str, message_id: impl Into<String>, body: Vec<u8>) -> Self {
        Self::new((EVENTS, routing_key), Routing::Optional, message_id.into(), body)
    }

    fn new(to: (&str, &str), routing: Routing, message_id: String, body: Vec<u8>) -> Self {
        Self {
            exchange: to.0.to_owned(),
            routing_key: to.1.to_owned(),
            routing,
            message_id,
            content_type: CONTENT_TYPE.to_owned(),
            headers: BTreeMap::new(),
            body,
        }
    }
}

/// What is known about a message that was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Published {
    /// The broker has it, on disk, in every queue that it belongs to.
    Confirmed,
    /// It belongs to no queue, or to no exchange. The text says why. Publishing
    /// it again helps only after the topology was put right.
    Returned(String),
    /// It may or may not have arrived. The text says why. Publish it again.
    Unknown(String),
}

/// Publishes on one channel, which is made again when it breaks.
#[derive(Debug)]
pub struct Publisher {
    session: Session,
    confirm_limit: Duration,
    /// Taken out while in use: whoever is canceled half-way leaves no channel
    /// behind whose confirms belong to somebody else.
    channel: Mutex<Option<Channel>>,
}

impl Publisher {
    /// A publisher. It connects when it is first used.
    #[must_use]
    pub fn new(connections: &Connections) -> Self {
        let session = connections.publishing.clone();
        Self { session, confirm_limit: CONFIRM_LIMIT, channel: Mutex::new(None) }
    }

    /// The same with another limit for confirms than 10 s.
    #[must_use]
    pub fn with_confirm_limit(self, confirm_limit: Duration) -> Self {
        Self { confirm_limit, ..self }
    }

    /// Publishes all, in order, and says of each what is known about it.
    ///
    /// Takes no longer than the confirm limit for every 1,024 messages; after
    /// the first that breaks, the rest is not sent.
    pub async fn publish_all(&self, messages: &[Outgoing]) -> Vec<Published> {
        let mut slot = self.channel.lock().await;
        let mut results = Vec::with_capacity(messages.len());
        for window in messages.chunks(WINDOW) {
            let deadline = Instant::now() + self.confirm_limit;
            match timeout_at(deadline, self.usable(slot.take())).await {
                Ok(Ok(channel)) => {
                    let (outcomes, healthy) = publish_window(&channel, window, deadline).await;
                    results.extend(outcomes);
                    *slot = healthy.then_some(channel);
                }
                Ok(Err(error)) => results.push(Published::Unknown(describe(&error))),
                Err(_) => results.push(Published::Unknown("the broker is away".to_owned())),
            }
            if slot.is_none() {
                break;
            }
        }
        if slot.is_none() {
            warn!(
                total = messages.len(),
                sent = results.len(),
                "Publishing broke; unconfirmed messages are unknown"
            );
            results
                .resize(messages.len(), Published::Unknown("not sent after an earlier one broke".to_owned()));
        }
        results
    }

    /// Publishes one message. Use [`Self::publish_all`] where there are several.
    ///
    /// # Panics
    /// Never: one message has one answer.
    pub async fn publish(&self, message: Outgoing) -> Published {
        self.publish_all(&[message]).await.pop().expect("one message has one answer")
    }

    async fn usable(&self, channel: Option<Channel>) -> Result<Channel, Error> {
        if let Some(channel) = channel.filter(|channel| channel.status().connected()) {
            return Ok(channel);
        }
        let channel = self.session.channel().await;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        Ok(channel)
    }
}

/// Sends a window and waits for its confirms. The flag says whether the channel
/// is as good as before.
async fn publish_window(channel: &Channel, window: &[Outgoing], deadline: Instant) -> (Vec<Published>, bool) {
    let mut healthy = true;
    let mut sent: Vec<Result<PublisherConfirm, Published>> = Vec::with_capacity(window.len());
    for message in window {
        let confirm = match properties(message) {
            _ if !healthy => Err(Published::Unknown("not sent after an earlier one broke".to_owned())),
            None => Err(Published::Returned("a name is longer than AMQP's 255 bytes".to_owned())),
            Some(parts) => match timeout_at(deadline, send(channel, message, parts)).await {
                Ok(Ok(confirm)) => Ok(confirm),
                Ok(Err(error)) => {
                    healthy = false;
                    Err(Published::Unknown(error.to_string()))
                }
                Err(_) => {
                    healthy = false;
                    Err(Published::Unknown("the broker took it not in time".to_owned()))
                }
            },
        };
        sent.push(confirm);
    }
    let mut outcomes = Vec::with_capacity(sent.len());
    for confirm in sent {
        outcomes.push(match confirm {
            Err(known) => known,
            Ok(confirm) => match timeout_at(deadline, confirm).await {
                Ok(Ok(confirmation)) => judge(&confirmation),
                Ok(Err(error)) => {
                    healthy = false;
                    Published::Unknown(error.to_string())
                }
                Err(_) => {
                    healthy = false;
                    Published::Unknown("no confirm in time".to_owned())
                }
            },
        });
    }
    (outcomes, healthy)
}

fn judge(confirmation: &Confirmation) -> Published {
    match confirmation {
        Confirmation::Ack(None) => Published::Confirmed,
        Confirmation::Ack(Some(message)) | Confirmation::Nack(Some(message)) => {
            Published::Returned(format!("{} {}", message.reply_code, message.reply_text))
        }
        // One of several queues may have taken it, so it isn't certain either.
        Confirmation::Nack(None) => {
            Published::Unknown("the broker refused it: a queue is full or lost its quorum".to_owned())
        }
        Confirmation::NotRequested => Published::Unknown("the channel doesn't confirm".to_owned()),
    }
}

/// The exchange, the routing key and the properties in AMQP's terms.
fn properties(message: &Outgoing) -> Option<(ShortString, ShortString, BasicProperties)> {
    let short = |text: &str| ShortString::try_new(text).ok();
    let mut properties = BasicProperties::default()
        .with_delivery_mode(PERSISTENT)
        .with_message_id(short(&message.message_id)?)
        .with_content_type(short(&message.content_type)?);
    if !message.headers.is_empty() {
        let mut headers = FieldTable::default();
        for (name, value) in &message.headers {
            headers.insert(short(name)?, AMQPValue::LongString(value.as_str().into()));
        }
        properties = properties.with_headers(headers);
    }
    Some((short(&message.exchange)?, short(&message.routing_key)?, properties))
}

async fn send(
    channel: &Channel,
    message: &Outgoing,
    parts: (ShortString, ShortString, BasicProperties),
) -> Result<PublisherConfirm, lapin::Error> {
    let (exchange, key, properties) = parts;
    let options = BasicPublishOptions { mandatory: message.routing == Routing::Mandatory, immediate: false };
    channel.basic_publish(exchange, key, options, &message.body, properties).await
}
