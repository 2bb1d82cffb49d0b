//! The AsyncAPI 3 document: where each message travels, made from the types and
//! from the topology table.
//!
//! It speaks of the product: it *receives* facts, requests and decisions, and
//! *sends* events and dead letters. Nudges between workers are no contract and
//! are left out.

use serde_json::{Map, Value, json};

use super::{
    CONTENT_TYPE, Fact, LegResolved, WithdrawalDecided, WithdrawalDetails, WithdrawalRequested, schemas,
};
use crate::topology::{DEAD, DEAD_LETTERS, DECISIONS, EVENTS, EXCHANGES, FACTS, QUEUES, REQUESTS, WORK};

/// The version of the messages: they all end with `.v1`.
const VERSION: &str = "1.0.0";

/// The type of every status event, by its schema.
const STATUS: &str = "outflow.withdrawal.status.v1";

/// The messages of the queue of decisions.
const INSTRUCTIONS: &[&str] = &[WithdrawalDecided::KIND, WithdrawalDetails::KIND, LegResolved::KIND];

/// A channel: an address, and the messages that travel there.
struct Channel {
    name: String,
    address: String,
    exchange: &'static str,
    receives: bool,
    text: &'static str,
    messages: Vec<&'static str>,
}

/// The document.
///
/// # Panics
/// Never: what it is made of is fixed when the product is built.
#[must_use]
pub fn asyncapi() -> Value {
    let channels = channels();
    let mut places = Map::new();
    let mut operations = Map::new();
    for it in &channels {
        places.insert(it.name.clone(), it.place());
        let verb = if it.receives { "receive" } else { "send" };
        operations.insert(format!("{verb} {}", it.name).replace(' ', "."), it.operation(verb));
    }
    let messages: Map<String, Value> =
        schemas().into_iter().map(|(name, schema)| (name.to_owned(), message(name, &schema))).collect();
    json!({
        "asyncapi": "3.0.0",
        "id": "urn:outflow:messages",
        "info": {
            "title": "Outflow",
            "version": VERSION,
            "description": "Withdrawal requests and account facts in, status events out. CloudEvents 1.0 as structured JSON over AMQP 0-9-1. Delivery is at least once: `source` and `id` together are the idempotency key, for ever.",
            "license": { "name": "Apache-2.0" },
        },
        "defaultContentType": CONTENT_TYPE,
        "servers": {
            "rabbitmq": {
                "host": "{host}:5671",
                "protocol": "amqps",
                "protocolVersion": "0.9.1",
                "description": "RabbitMQ 3.10 or newer.",
                "variables": { "host": { "description": "Where the broker is.", "default": "localhost" } },
            },
        },
        "channels": places,
        "operations": operations,
        "components": { "messages": messages },
    })
}

fn channels() -> Vec<Channel> {
    let queue = |name: &'static str, text, messages| Channel {
        name: name.to_owned(),
        address: name.to_owned(),
        exchange: WORK,
        receives: true,
        text,
        messages,
    };
    let mut channels = vec![
        queue(
            FACTS,
            "What happened to accounts, in the order of `version` per account.",
            Fact::TYPES.to_vec(),
        ),
        queue(REQUESTS, "Requests to withdraw money.", vec![WithdrawalRequested::KIND]),
        queue(
            DECISIONS,
            "What people decide about withdrawals, and what they tell about them.",
            INSTRUCTIONS.to_vec(),
        ),
    ];
    channels.extend(schemas().into_iter().map(|(kind, _)| kind).filter(|kind| is_event(kind)).map(event));
    channels.push(Channel {
        name: DEAD.to_owned(),
        address: "{queue}".to_owned(),
        exchange: DEAD_LETTERS,
        receives: false,
        text: "Messages that no worker could use, masked, each with its problem in the header `x-outflow-problem`. The routing key is the queue that it came from.",
        messages: vec![],
    });
    channels
}

fn is_event(kind: &str) -> bool {
    !Fact::TYPES.contains(&kind) && kind != WithdrawalRequested::KIND && !INSTRUCTIONS.contains(&kind)
}

/// Events travel under their type without its frame; those of a withdrawal under its state.
fn event(kind: &'static str) -> Channel {
    let key = kind.trim_start_matches("outflow.").trim_end_matches(".v1");
    let (name, address) = if kind == STATUS { ("withdrawal", "withdrawal.{state}") } else { (key, key) };
    Channel {
        name: format!("{EVENTS}.{name}"),
        address: address.to_owned(),
        exchange: EVENTS,
        receives: false,
        text: "Bind a queue of your own to the topic exchange. Repeats are possible: drop them by `id`.",
        messages: vec![kind],
    }
}

impl Channel {
    fn place(&self) -> Value {
        let exchange =
            EXCHANGES.iter().find(|it| it.name == self.exchange).expect("a channel has an exchange");
        let kind = exchange.kind.word();
        let refer =
            |kind: &&str| ((*kind).to_owned(), json!({ "$ref": format!("#/components/messages/{kind}") }));
        let messages: Map<String, Value> = self.messages.iter().map(refer).collect();
        let mut place = json!({
            "address": self.address,
            "description": self.text,
            "messages": messages,
            "bindings": { "amqp": {
                "is": "routingKey",
                "exchange": { "name": exchange.name, "type": kind, "durable": true, "autoDelete": false },
                "bindingVersion": "0.3.0",
            } },
        });
        if let Some(parameter) = self.address.split_once('{').and_then(|(_, rest)| rest.split_once('}')) {
            place["parameters"] = json!({ parameter.0: { "description": format!("The {}.", parameter.0) } });
        }
        if let Some(queue) = QUEUES.iter().find(|it| it.name == self.name) {
            place["x-queue"] = json!({
                "name": queue.name, "type": "quorum", "max-length": queue.max_messages,
                "max-length-bytes": queue.max_bytes, "delivery-limit": queue.delivery_limit,
            });
        }
        place
    }

    fn operation(&self, verb: &str) -> Value {
        let refer = |kind: &&str| json!({ "$ref": format!("#/channels/{}/messages/{kind}", self.name) });
        let binding = if self.receives {
            json!({ "deliveryMode": 2, "mandatory": true, "bindingVersion": "0.3.0" })
        } else {
            json!({ "deliveryMode": 2, "bindingVersion": "0.3.0" })
        };
        json!({
            "action": verb,
            "channel": { "$ref": format!("#/channels/{}", self.name) },
            "summary": self.text,
            "messages": self.messages.iter().map(refer).collect::<Value>(),
            "bindings": { "amqp": binding },
        })
    }
}

fn message(name: &str, schema: &Value) -> Value {
    json!({
        "name": name,
        "title": name,
        "contentType": CONTENT_TYPE,
        "headers": {
            "type": "object",
            "properties": { "traceparent": {
                "type": "string",
                "description": "The W3C trace that the message belongs to; the attribute of the same name comes before it.",
            } },
        },
        "payload": { "schemaFormat": "application/schema+json;version=draft-2020-12", "schema": schema },
    })
}
