//! The outbox: what must be published, written in the transaction that makes it true.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{PgConnection, Row};

use crate::{Error, Tx};

/// Shards of the outbox. One relay at a time serves a shard.
pub const SHARDS: i16 = 8;

/// A message that waits to be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Messages with the same key leave in the order in which they were written.
    pub key: String,
    /// The exchange; empty is RabbitMQ's default exchange.
    pub exchange: &'static str,
    /// The routing key, or the queue's name on the default exchange.
    pub routing_key: String,
    /// The media type of the body.
    pub content_type: &'static str,
    /// Message headers as a JSON object of texts.
    pub headers: Value,
    /// The body.
    pub body: Vec<u8>,
}

/// A message of the outbox, as the relay reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unpublished {
    /// Its place in the outbox; also the AMQP message id.
    pub id: i64,
    /// Messages with the same key leave in the order of their ids.
    pub key: String,
    /// The exchange.
    pub exchange: String,
    /// The routing key.
    pub routing_key: String,
    /// The media type of the body.
    pub content_type: String,
    /// Message headers as a JSON object of texts.
    pub headers: Value,
    /// The body.
    pub body: Vec<u8>,
}

/// The shard of `key`: FNV-1a, so that every writer agrees without asking.
fn shard(key: &str) -> i16 {
    let hash = key.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    i16::try_from(hash % u64::try_from(SHARDS).expect("a few shards")).expect("below the number of shards")
}

/// Writes messages into the outbox, in their order.
///
/// # Errors
/// When the database is away.
pub async fn put(
    connection: &mut PgConnection,
    messages: &[Outgoing],
    at: DateTime<Utc>,
) -> Result<(), Error> {
    if messages.is_empty() {
        return Ok(());
    }
    let column = |pick: fn(&Outgoing) -> &str| messages.iter().map(pick).collect::<Vec<_>>();
    sqlx::query(include_str!("../sql/outbox_put.sql"))
        .bind(messages.iter().map(|it| shard(&it.key)).collect::<Vec<_>>())
        .bind(column(|it| &it.key))
        .bind(column(|it| it.exchange))
        .bind(column(|it| &it.routing_key))
        .bind(column(|it| it.content_type))
        .bind(messages.iter().map(|it| &it.headers).collect::<Vec<_>>())
        .bind(messages.iter().map(|it| it.body.as_slice()).collect::<Vec<_>>())
        .bind(at)
        .execute(connection)
        .await?;
    Ok(())
}

/// Takes every shard that no other relay has, until the end of the transaction.
///
/// # Errors
/// When the database is away.
pub async fn claim_shards(tx: &mut Tx) -> Result<Vec<i16>, Error> {
    Ok(sqlx::query_scalar(include_str!("../sql/outbox_claim_shards.sql"))
        .bind(SHARDS)
        .fetch_all(&mut **tx)
        .await?)
}

/// The oldest unpublished messages of each shard, at most `limit` of a shard,
/// in order.
///
/// # Errors
/// When the database is away.
pub async fn unpublished(tx: &mut Tx, shards: &[i16], limit: i64) -> Result<Vec<Unpublished>, Error> {
    let rows = sqlx::query(include_str!("../sql/outbox_unpublished.sql"))
        .bind(shards)
        .bind(limit)
        .fetch_all(&mut **tx)
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Unpublished {
                id: row.try_get("id")?,
                key: row.try_get("key")?,
                exchange: row.try_get("exchange")?,
                routing_key: row.try_get("routing_key")?,
                content_type: row.try_get("content_type")?,
                headers: row.try_get("headers")?,
                body: row.try_get("body")?,
            })
        })
        .collect()
}

/// Marks messages that the broker has confirmed. The bodies of those with one of
/// the routing keys `erased` are gone with it: what they held is not kept.
///
/// # Errors
/// When the database is away: the messages will be published again.
pub async fn published(tx: &mut Tx, ids: &[i64], erased: &[&str], at: DateTime<Utc>) -> Result<(), Error> {
    sqlx::query(include_str!("../sql/outbox_published.sql"))
        .bind(ids)
        .bind(at)
        .bind(erased)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// How many messages wait.
///
/// # Errors
/// When the database is away.
pub async fn backlog(connection: &mut PgConnection) -> Result<i64, Error> {
    Ok(sqlx::query_scalar(include_str!("../sql/outbox_backlog.sql")).fetch_one(connection).await?)
}
