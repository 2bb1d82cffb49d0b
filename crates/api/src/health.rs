//! Probes: whether this process lives, and whether it can do its work.

use axum::extract;
use axum::http::StatusCode;
use broker::Connections;
use store::{Database, stops};
use tracing::warn;

use crate::State;
use crate::refusal::Refusal;

/// This process runs. It says nothing about what it depends on: a database that
/// is away is no reason to restart us.
pub(crate) async fn alive() -> &'static str {
    "alive\n"
}

/// The database has our schema, the broker lets us in, and we are not about to end.
pub(crate) async fn ready(extract::State(state): extract::State<State>) -> Result<&'static str, Refusal> {
    if state.stop.is_cancelled() {
        return Err(not_ready("this process is about to end"));
    }
    let (database, broker) = tokio::join!(database(&state.database), broker(&state.connections));
    database?;
    broker?;
    Ok("ready\n")
}

/// A small table of ours is read: it is there when the schema is.
async fn database(database: &Database) -> Result<(), Refusal> {
    let read = async {
        let mut connection = database.pool().acquire().await?;
        stops::all(&mut connection).await
    };
    read.await.map(drop).map_err(|error: store::Error| {
        warn!(%error, "Not ready");
        not_ready("the database does not answer, or has another schema")
    })
}

async fn broker(connections: &Connections) -> Result<(), Refusal> {
    connections.check().await.map_err(|error| {
        warn!(%error, "Not ready");
        not_ready("the broker does not answer")
    })
}

pub(crate) fn not_ready(detail: &str) -> Refusal {
    Refusal::new("not_ready", StatusCode::SERVICE_UNAVAILABLE, detail)
}
