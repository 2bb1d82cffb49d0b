//! The demo's own ears: queues bound to the exchanges of events and dead letters.
//!
//! What was heard is evidence: it came through the broker, like an upstream's.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use broker::contract::{Event, Problem, RequestRepeated, StatusChanged, parse_event};
use broker::topology::{DEAD_LETTERS, EVENTS};
use broker::{BatchLimits, Connections, Delivery, Inbox};
use lapin::options::{QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::{AMQPValue, FieldTable};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::narrator;

/// Queues of a demo that died go away by themselves.
const EXPIRES_MS: i32 = 10 * 60 * 1000;

/// What was heard.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    /// The events of each withdrawal, in their order, repeats dropped.
    pub(crate) events: BTreeMap<Uuid, Vec<StatusChanged>>,
    /// Requests that came again.
    pub(crate) repeated: Vec<RequestRepeated>,
    /// Dead letters.
    pub(crate) letters: Vec<Problem>,
    /// Requests of which a payment was in doubt for a while.
    doubted: BTreeSet<&'static str>,
    /// What should not have been heard: events out of order, or unreadable ones.
    pub(crate) faults: Vec<String>,
}

impl Heard {
    /// The newest event about a request.
    pub(crate) fn newest(&self, request: &str) -> Option<&StatusChanged> {
        let mut stories = self.events.values().filter_map(|events| events.last());
        stories.find(|it| it.request.id.as_str() == request)
    }
}

/// Listens until it leaves.
pub(crate) struct Audience {
    heard: Arc<Mutex<Heard>>,
    connections: Connections,
    queues: [String; 2],
    stop: CancellationToken,
    listening: Vec<JoinHandle<()>>,
}

impl Audience {
    /// Binds its queues and begins to listen.
    ///
    /// # Errors
    /// When the broker refuses.
    pub(crate) async fn seat(connections: &Connections) -> Result<Self> {
        let unique = Uuid::now_v7().simple();
        let queues = [format!("demo.events.{unique}"), format!("demo.dead-letters.{unique}")];
        let channel = connections.publishing.try_channel().await.context("opening a channel")?;
        for (queue, exchange, key) in [(&queues[0], EVENTS, "#"), (&queues[1], DEAD_LETTERS, "")] {
            let mut arguments = FieldTable::default();
            arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
            arguments.insert("x-expires".into(), AMQPValue::LongInt(EXPIRES_MS));
            channel
                .queue_declare(queue.as_str().into(), QueueDeclareOptions::durable(), arguments)
                .await
                .context("declaring the demo's queue")?;
            channel
                .queue_bind(
                    queue.as_str().into(),
                    exchange.into(),
                    key.into(),
                    QueueBindOptions::default(),
                    FieldTable::default(),
                )
                .await
                .context("binding the demo's queue")?;
        }
        let (heard, stop) = (Arc::new(Mutex::new(Heard::default())), CancellationToken::new());
        let listen = |queue: &String, hear: fn(&mut Heard, &Delivery)| {
            let inbox = Inbox::open(connections, queue, BatchLimits::default());
            tokio::spawn(listen(inbox, Arc::clone(&heard), stop.clone(), hear))
        };
        let listening = vec![listen(&queues[0], hear_event), listen(&queues[1], hear_letter)];
        Ok(Self { heard, connections: connections.clone(), queues, stop, listening })
    }

    /// Looks at what was heard so far.
    pub(crate) fn with<T>(&self, look: impl FnOnce(&Heard) -> T) -> T {
        look(&self.heard.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Notes that a payment of a request is in doubt, so that its end can say so.
    pub(crate) fn doubt(&self, request: &'static str) {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).doubted.insert(request);
    }

    /// Stops listening and removes the queues.
    pub(crate) async fn leave(self) {
        self.stop.cancel();
        for task in self.listening {
            // A listener only ends.
            let _ = task.await;
        }
        if let Ok(channel) = self.connections.publishing.try_channel().await {
            for queue in &self.queues {
                // Should it stay, it expires.
                let _ = channel.queue_delete(queue.as_str().into(), QueueDeleteOptions::default()).await;
            }
        }
    }
}

async fn listen(
    mut inbox: Inbox,
    heard: Arc<Mutex<Heard>>,
    stop: CancellationToken,
    hear: fn(&mut Heard, &Delivery),
) {
    while let Some(batch) = inbox.next_batch(&stop).await {
        for delivery in &batch.deliveries {
            hear(&mut heard.lock().unwrap_or_else(PoisonError::into_inner), delivery);
        }
        // Lost with its connection, it comes again and is a repeat.
        let _ = batch.ack().await;
    }
}

fn hear_event(heard: &mut Heard, delivery: &Delivery) {
    let envelope = match parse_event(&delivery.body) {
        Ok(envelope) => envelope,
        Err(problem) => {
            return heard.faults.push(format!("an event breaks the contract: {}", problem.detail));
        }
    };
    match envelope.data {
        Event::Status(status) => {
            let before = heard.events.entry(status.withdrawal_id).or_default();
            let expected = before.len() as u64 + 1;
            if status.sequence < expected {
                return; // A repeat: at least once is the promise.
            }
            if status.sequence > expected {
                let fault = format!(
                    "event {} of {} came before event {expected}",
                    status.sequence, status.request.id
                );
                return heard.faults.push(fault);
            }
            if status.state.is_final() && heard.doubted.contains(status.request.id.as_str()) {
                narrator::resolved(envelope.time, &status);
            }
            narrator::event(envelope.time, &status);
            before.push(*status);
        }
        Event::Repeated(it) => {
            narrator::repeated(envelope.time, &it);
            heard.repeated.push(it);
        }
        // The scene that sends a decision tells its end, the demo's upstream signs its own proofs, and
        // what waits for people is seen in the books.
        Event::Refused(_)
        | Event::CodeIssued(_)
        | Event::ApprovalRequired(_)
        | Event::WaitEnding(_)
        | Event::Deadline(_) => {}
    }
}

fn hear_letter(heard: &mut Heard, delivery: &Delivery) {
    let problem =
        delivery.header("x-outflow-problem").and_then(|it| serde_json::from_str::<Problem>(&it).ok());
    match problem {
        Some(problem) => {
            narrator::dead_letter(&delivery.routing_key, &problem);
            heard.letters.push(problem);
        }
        None => heard.faults.push("a dead letter does not say why".to_owned()),
    }
}
