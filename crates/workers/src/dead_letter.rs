//! What becomes of a message that no worker can use.
//!
//! It is parked whole, sealed, in a row that operations can see, and leaves one
//! dead letter with the problem in its headers. Both are written in the
//! transaction that deals with its neighbours, and only then is it acknowledged.
//!
//! A dead letter travels further than the row, so its body is masked (S04): a
//! bank account number keeps its last four characters, a proof of verification
//! nothing.

use std::collections::HashSet;

use aws_lc_rs::digest::{SHA256, digest};
use broker::Delivery;
use broker::contract::{BODY_LIMIT_BYTES, CONTENT_TYPE, Problem};
use broker::topology::DEAD_LETTERS;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use store::outbox::{self, Outgoing};
use store::parked::{self, Parked};
use store::{Tx, Vault};
use uuid::Uuid;

mod mask;

pub use mask::masked;

/// The longest text of a message's properties that is kept.
const PROPERTY_MAX: usize = 255;

/// A message as it came.
#[derive(Debug, Clone)]
pub struct Letter<'a> {
    /// The AMQP message id, where the sender set one.
    pub message_id: Option<&'a str>,
    /// The broker delivered it before.
    pub redelivered: bool,
    /// Other properties worth keeping, as a JSON object of texts.
    pub headers: Value,
    /// The bytes of the message.
    pub body: &'a [u8],
}

impl<'a> From<&'a Delivery> for Letter<'a> {
    fn from(delivery: &'a Delivery) -> Self {
        let mut headers = json!({ "routing_key": printable(&delivery.routing_key) });
        if let Some(content_type) = &delivery.content_type {
            headers["content_type"] = printable(content_type).into();
        }
        // Whoever mends it knows whom to tell.
        if let Some(user) = &delivery.user_id {
            headers["user_id"] = printable(user).into();
        }
        if let Some(trace) = delivery.header("traceparent") {
            headers["traceparent"] = printable(&trace).into();
        }
        Self {
            message_id: delivery.message_id.as_deref(),
            redelivered: delivery.redelivered,
            headers,
            body: &delivery.body,
        }
    }
}

/// The row and the dead letter of a message that came from `queue`.
///
/// # Panics
/// Never: a digest has its length, and a problem serialises.
#[must_use]
pub fn park<'a>(
    letter: impl Into<Letter<'a>>,
    queue: &str,
    problem: &Problem,
    vault: &Vault,
) -> (Parked, Outgoing) {
    let letter = letter.into();
    let id = Uuid::now_v7();
    let fingerprint = digest(&SHA256, letter.body);
    let parked = Parked {
        id,
        queue: queue.to_owned(),
        message_id: letter.message_id.map(printable),
        digest: fingerprint.as_ref().try_into().expect("SHA-256 has 32 bytes"),
        body: vault.seal(&row_name(id), letter.body),
        headers: letter.headers,
        problem: serde_json::to_value(problem).expect("texts and a number serialise"),
        redelivered: letter.redelivered,
    };
    let outgoing = Outgoing {
        key: id.to_string(),
        exchange: DEAD_LETTERS,
        routing_key: queue.to_owned(),
        content_type: CONTENT_TYPE,
        headers: json!({
            "x-outflow-problem": problem.to_json(),
            "x-outflow-code": problem.code,
            "x-outflow-queue": queue,
            "x-outflow-parked": id.to_string(),
        }),
        body: masked(letter.body, BODY_LIMIT_BYTES),
    };
    (parked, outgoing)
}

/// Writes what [`park`] made. A redelivery of a message that is parked already
/// leaves neither a second row nor a second dead letter.
///
/// # Errors
/// When the database is away.
pub async fn put(
    tx: &mut Tx,
    letters: Vec<(Parked, Outgoing)>,
    at: DateTime<Utc>,
) -> Result<(), store::Error> {
    let (rows, messages): (Vec<_>, Vec<_>) = letters.into_iter().unzip();
    let new: HashSet<Uuid> = parked::put(tx, &rows, at).await?.into_iter().collect();
    let messages: Vec<Outgoing> = rows
        .iter()
        .zip(messages)
        .filter(|(row, _)| new.contains(&row.id))
        .map(|(_, message)| message)
        .collect();
    outbox::put(tx, &messages, at).await
}

/// The original bytes of a parked message, for those who may read them.
///
/// # Errors
/// [`store::Error::Unreadable`] when its key is not in the ring.
pub fn open(parked_id: Uuid, sealed: &[u8], vault: &Vault) -> Result<Vec<u8>, store::Error> {
    vault.open(&row_name(parked_id), sealed)
}

/// What binds a sealed message to its row.
fn row_name(id: Uuid) -> String {
    format!("parked_message:{id}")
}

/// A property without what PostgreSQL or a log cannot hold.
fn printable(text: &str) -> String {
    text.chars().take(PROPERTY_MAX).map(|char| if char.is_control() { '?' } else { char }).collect()
}

#[cfg(test)]
mod tests {
    use broker::contract::{Code, Problem};
    use secrecy::SecretBox;
    use serde_json::{Value, json};
    use store::{Vault, VaultKey};

    use super::{Letter, open, park};

    fn vault() -> Vault {
        let key = |byte| SecretBox::new(Box::new([byte; 32]));
        Vault::new(&[VaultKey { id: "k1".into(), bytes: key(1) }], &key(2)).unwrap()
    }

    #[test]
    fn a_message_is_kept_whole_for_people_and_travels_masked() {
        let body = br#"{"data":{"bank_account":{"number":"6222020200112233445"}},"x":1}"#;
        let letter = Letter { message_id: Some("m\u{0}1"), redelivered: false, headers: json!({}), body };
        let problem = Problem::malformed(Code::UnknownField, "/x", "is not known");
        let (parked, outgoing) = park(letter, "outflow.facts", &problem, &vault());
        assert_eq!(open(parked.id, &parked.body, &vault()).unwrap(), body);
        assert_eq!(parked.message_id.as_deref(), Some("m?1"));
        assert_eq!(outgoing.body, br#"{"data":{"bank_account":{"number":"****3445"}},"x":1}"#);
        assert_eq!(outgoing.exchange, "outflow.dead-letters");
        assert_eq!(outgoing.headers["x-outflow-code"], "unknown_field");
        let header: Value =
            serde_json::from_str(outgoing.headers["x-outflow-problem"].as_str().unwrap()).unwrap();
        assert_eq!(header, parked.problem);
        assert_eq!(header["pointer"], "/x");
    }
}
