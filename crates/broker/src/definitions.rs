//! The topology and its users as the document that `rabbitmqctl import_definitions` takes.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::access::USERS;
use crate::topology::{EXCHANGES, Kind, QUEUES};

/// What a user without a password has: RabbitMQ lets nobody in by an empty hash.
const NO_PASSWORD: &str = "";

/// A password as RabbitMQ keeps it: its salt, and the SHA-256 of both, in base 64.
#[must_use]
pub fn password_hash(password: &str, salt: [u8; 4]) -> String {
    let mut salted = salt.to_vec();
    salted.extend(password.as_bytes());
    let mut hash = salt.to_vec();
    hash.extend(digest(&SHA256, &salted).as_ref());
    STANDARD.encode(hash)
}

/// The names of the users, without their prefix.
pub fn user_names() -> impl Iterator<Item = &'static str> {
    USERS.iter().map(|it| it.name)
}

/// The definitions of a virtual host: exchanges, queues, bindings, and users with
/// what each may do. `prefix` begins every user's name, because users belong to a
/// whole broker; `hash_of` answers with the password's hash of a name of
/// [`user_names`], where there is one.
///
/// There are no policies: every limit is an argument of its queue, which nobody
/// can change beside the product, and which `outflow topology diff` compares.
#[must_use]
pub fn definitions(vhost: &str, prefix: &str, hash_of: impl Fn(&str) -> Option<String>) -> Value {
    let named = |name: &str| format!("{prefix}_{name}");
    let users: Vec<Value> = USERS
        .iter()
        .map(|it| {
            json!({
                "name": named(it.name), "tags": "", "limits": {},
                "password_hash": hash_of(it.name).unwrap_or_else(|| NO_PASSWORD.to_owned()),
                "hashing_algorithm": "rabbit_password_hashing_sha256",
            })
        })
        .collect();
    let permissions: Vec<Value> = USERS.iter().map(|it| it.permission(&named(it.name), vhost)).collect();
    let topics: Vec<Value> =
        USERS.iter().flat_map(|it| it.topic_permissions(&named(it.name), vhost)).collect();
    let exchanges: Vec<Value> = EXCHANGES
        .iter()
        .map(|it| {
            json!({
                "name": it.name, "vhost": vhost, "type": it.kind.word(), "durable": true,
                "auto_delete": false, "internal": false, "arguments": {},
            })
        })
        .collect();
    let queues: Vec<Value> = QUEUES
        .iter()
        .map(|it| {
            let arguments: serde_json::Map<String, Value> =
                it.settings().into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
            json!({
                "name": it.name, "vhost": vhost, "durable": true, "auto_delete": false, "arguments": arguments,
            })
        })
        .collect();
    let bindings: Vec<Value> = QUEUES
        .iter()
        .map(|it| {
            json!({
                "source": it.exchange, "vhost": vhost, "destination": it.name, "destination_type": "queue",
                "routing_key": it.key, "arguments": {},
            })
        })
        .collect();
    json!({
        "vhosts": [{ "name": vhost }],
        "users": users,
        "permissions": permissions,
        "topic_permissions": topics,
        "parameters": [],
        "policies": [],
        "exchanges": exchanges,
        "queues": queues,
        "bindings": bindings,
    })
}

impl Kind {
    /// Its name in AMQP.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Fanout => "fanout",
            Self::Topic => "topic",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::password_hash;

    #[test]
    fn a_password_is_hashed_as_rabbitmqs_manual_shows() {
        // The example of the manual's page about passwords: salt 908DC60A, password test12.
        let salt = [0x90, 0x8D, 0xC6, 0x0A];
        assert_eq!(password_hash("test12", salt), "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR");
    }
}
