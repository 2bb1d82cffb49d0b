//! What the machine itself can do, measured in the run whose figures are compared with it.
//!
//! Each floor is the cheapest program that promises the same: the same rows in
//! the same number of commits, the same messages through a quorum queue with
//! confirms and acknowledgements, the same signatures. A busy or a slow machine
//! slows both alike, so that the ratio is what can be compared.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use broker::{BatchLimits, Connections, Inbox, Outgoing, Published, Publisher, Settled, topology};
use sqlx::Connection;
use tokio_util::sync::CancellationToken;

/// Bytes of a row and of a message: those of an event are about as many.
const BYTES: usize = 800;

/// Messages that are confirmed, or acknowledged, in one go: as many as a worker takes.
const CHUNK: usize = 200;

/// Rows of one insert at most.
const ROWS: u64 = 2_000;

/// So many commits of plain rows, one connection, one statement each: how long they take.
///
/// # Errors
/// When the database is away.
pub(crate) async fn commits(url: &str, commits: u64, rows: u64) -> Result<Duration> {
    let mut connection = sqlx::PgConnection::connect(url).await?;
    let table = "create table if not exists floor_of_commits (id bigint generated always as identity primary key, body bytea not null)";
    sqlx::query(table).execute(&mut connection).await?;
    let each = i64::try_from((rows / commits.max(1)).clamp(1, ROWS))?;
    let body = vec![b'x'; BYTES];
    let began = Instant::now();
    for _ in 0..commits {
        sqlx::query("insert into floor_of_commits (body) select $1 from generate_series(1, $2)")
            .bind(&body)
            .bind(each)
            .execute(&mut connection)
            .await?;
    }
    let took = began.elapsed();
    sqlx::query("drop table floor_of_commits").execute(&mut connection).await?;
    connection.close().await?;
    Ok(took)
}

/// So many messages, each confirmed by a quorum queue, and then each taken and
/// acknowledged: how long the one takes and the other.
///
/// # Errors
/// When the broker is away or does not confirm.
pub(crate) async fn messages(connections: &Connections, count: usize) -> Result<(Duration, Duration)> {
    let publisher = Publisher::new(connections);
    let body = vec![b'x'; BYTES];
    let message = |it: usize| Outgoing::work(topology::DECISIONS, it.to_string(), body.clone());
    let messages: Vec<Outgoing> = (0..count).map(message).collect();
    let began = Instant::now();
    for chunk in messages.chunks(CHUNK) {
        let results = publisher.publish_all(chunk).await;
        ensure!(results.iter().all(|it| *it == Published::Confirmed), "a message was not confirmed");
    }
    let publishing = began.elapsed();
    let limits = BatchLimits { max: CHUNK, linger: Duration::from_millis(5), prefetch: 1_000 };
    let mut inbox = Inbox::open(connections, topology::DECISIONS, limits);
    let (stop, mut taken) = (CancellationToken::new(), 0);
    let began = Instant::now();
    while taken < count {
        let batch = inbox.next_batch(&stop).await.context("nobody stops it")?;
        taken += batch.len();
        ensure!(batch.ack().await == Settled::Sent, "an acknowledgement was lost");
    }
    Ok((publishing, began.elapsed()))
}
