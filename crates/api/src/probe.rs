//! The probes of a process that serves nothing else: a worker in a container.
//!
//! A worker that cannot go on ends by itself, so that `/healthz` only shows that the
//! process still answers. `/readyz` shows that its database lets it in, as its own role.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use store::Database;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::health::{alive, not_ready};
use crate::refusal::Refusal;

/// What the probes look at.
#[derive(Clone)]
struct Looked {
    database: Database,
    stop: CancellationToken,
}

/// Serves `/healthz` and `/readyz` until `stop` is raised.
///
/// # Errors
/// When the listener breaks.
pub async fn probe(
    listener: TcpListener,
    database: Database,
    stop: CancellationToken,
) -> std::io::Result<()> {
    let looked = Looked { database, stop: stop.clone() };
    let routes = Router::new().route("/healthz", get(alive)).route("/readyz", get(ready)).with_state(looked);
    axum::serve(listener, routes).with_graceful_shutdown(stop.cancelled_owned()).await
}

async fn ready(State(looked): State<Looked>) -> Result<&'static str, Refusal> {
    if looked.stop.is_cancelled() {
        return Err(not_ready("this process is about to end"));
    }
    match looked.database.pool().acquire().await {
        Ok(_) => Ok("ready\n"),
        Err(error) => {
            warn!(%error, "Not ready");
            Err(not_ready("the database does not answer"))
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use store::Database;
    use tokio::net::TcpListener;
    use tokio_util::sync::CancellationToken;

    async fn status(url: &str) -> StatusCode {
        reqwest::get(url).await.expect("an answer").status()
    }

    #[tokio::test]
    async fn a_process_is_ready_while_its_database_answers() {
        use devstack::{Options, Servers, Stack};
        let options = Options { servers: Servers::PostgresOnly, ..Options::default() };
        let stack = Stack::start(options).await.expect("a PostgreSQL");
        let url = stack.fresh_database("probe").await.expect("a database");
        let database = Database::connect(&url, 1).await.expect("a connection");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("its address"));
        let stop = CancellationToken::new();
        let serving = tokio::spawn(super::probe(listener, database.clone(), stop.clone()));
        assert_eq!(status(&format!("{base}/healthz")).await, StatusCode::OK);
        assert_eq!(status(&format!("{base}/readyz")).await, StatusCode::OK);
        database.close().await;
        assert_eq!(status(&format!("{base}/readyz")).await, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(
            status(&format!("{base}/healthz")).await,
            StatusCode::OK,
            "that is no reason to restart it"
        );
        assert_eq!(status(&format!("{base}/metrics")).await, StatusCode::NOT_FOUND);
        stop.cancel();
        serving.await.expect("it ends").expect("in peace");
    }
}
