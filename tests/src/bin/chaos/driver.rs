//! The upstream and the reviewers of a run: whatever the product is told from outside.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use broker::contract::Decision;
use broker::topology::REQUESTS;
use broker::{Outgoing, Published, Publisher};
use sqlx::Row;
use tokio::time::sleep;
use uuid::Uuid;

use crate::checker::Accepted;
use crate::people::Person;
use crate::scene::{Scene, eventually};
use crate::upstream;

/// The second of the two who approve.
const SECOND: &str = "reviewer.b";

/// How long a confirm may take before the message is published again.
const CONFIRM: Duration = Duration::from_secs(2);

/// How long a broker may stay away before the run is given up.
const PATIENCE: Duration = Duration::from_mins(3);

/// Publishes until the broker has confirmed, and keeps the list of what it has.
pub(crate) struct Driver {
    publisher: Publisher,
    /// What the broker accepted.
    pub(crate) accepted: Accepted,
    decided: BTreeSet<Uuid>,
    /// Who decides over HTTP, where somebody does.
    caller: Option<Person>,
    /// Messages that were published again although they had arrived.
    pub(crate) duplicates: u64,
}

impl Driver {
    /// A driver on the broker of a scene.
    pub(crate) fn new(scene: &Scene) -> Self {
        Self {
            publisher: Publisher::new(&scene.connections).with_confirm_limit(CONFIRM),
            accepted: Accepted::default(),
            decided: BTreeSet::new(),
            caller: None,
            duplicates: 0,
        }
    }

    /// The second approver calls the API from now on.
    ///
    /// # Errors
    /// When they get no token.
    pub(crate) async fn call(&mut self, scene: &Scene) -> Result<()> {
        self.caller = Some(Person::join(scene, SECOND).await?);
        Ok(())
    }

    /// Publishes; afterwards the broker has all of it, some perhaps more than once.
    ///
    /// # Errors
    /// When the broker stays away, or a message belongs to no queue.
    pub(crate) async fn publish(&mut self, messages: Vec<Outgoing>) -> Result<()> {
        let (mut waiting, began) = (messages, Instant::now());
        while began.elapsed() < PATIENCE {
            let answers = self.publisher.publish_all(&waiting).await;
            let mut unknown = Vec::new();
            for (message, answer) in waiting.into_iter().zip(answers) {
                match answer {
                    Published::Confirmed => self.note(&message),
                    Published::Unknown(_) => unknown.push(message),
                    Published::Returned(why) => bail!("{} belongs to no queue: {why}", message.message_id),
                }
            }
            if unknown.is_empty() {
                return Ok(());
            }
            self.duplicates += unknown.len() as u64;
            waiting = unknown;
            sleep(Duration::from_millis(200)).await;
        }
        bail!("the broker did not confirm {} messages in {} s", waiting.len(), PATIENCE.as_secs())
    }

    fn note(&mut self, message: &Outgoing) {
        let id = message.message_id.clone();
        if id.starts_with("poison-") {
            self.accepted.poison.insert(id);
        } else if message.routing_key == REQUESTS {
            self.accepted.requests.insert(id);
        }
    }

    /// Decides about what waits for people: two approve; some are denied.
    ///
    /// # Errors
    /// When a server stays away.
    pub(crate) async fn review(&mut self, scene: &Scene) -> Result<()> {
        let waiting = "select id, effect_digest from withdrawal
                        where state = 'pending_approval' and amount > 500000 order by id";
        let rows = eventually("asking what waits for people", async || {
            sqlx::query(waiting).fetch_all(scene.database.pool()).await
        })
        .await?;
        let mut decisions = Vec::new();
        for row in rows {
            let (id, effect): (Uuid, Option<Vec<u8>>) = (row.try_get("id")?, row.try_get("effect_digest")?);
            if !self.decided.insert(id) {
                continue;
            }
            let at = scene.time.now();
            let denied = self.decided.len().is_multiple_of(10);
            let called = !denied && self.called(id, effect.as_deref()).await;
            let mut say = |what, actor| {
                decisions.push(upstream::decision(id, what, actor, effect.as_deref(), at));
            };
            if denied {
                say(Decision::Deny, "reviewer.a");
            } else {
                say(Decision::Approve, "reviewer.a");
                // Without an answer nobody knows whether it was done: it is said again.
                if !called {
                    say(Decision::Approve, SECOND);
                }
            }
        }
        self.publish(decisions).await
    }

    /// Whether the second approver has said so over HTTP, and was answered.
    async fn called(&mut self, about: Uuid, effect: Option<&[u8]>) -> bool {
        let (Some(caller), Some(effect)) = (&self.caller, effect) else { return false };
        let answered = caller.approve(about, effect).await;
        if answered {
            self.accepted.approvals.insert((about.to_string(), caller.name().to_owned()));
        }
        answered
    }
}
