//! Takes connections, within limits (S15), until the process is about to end.
//!
//! The loop is our own instead of `axum::serve`, which has no limit on how many
//! connections there are or how slowly a header may come: somebody who opens
//! many and says little must not keep operations out.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_service::Service as _;
use tracing::{debug, info, warn};

use crate::State;
use crate::serve::router;

/// Connections at once; more wait in the listener's queue.
const CONNECTIONS: usize = 512;

/// The longest that a header may take to come, and a connection may be idle.
const HEADER_WITHIN: Duration = Duration::from_secs(10);

/// The longest header.
const HEADER_MAX_BYTES: usize = 32 * 1024;

/// The most fields of a header.
const HEADER_FIELDS: usize = 64;

/// How long requests in hand may take once the process is about to end.
const DRAIN_WITHIN: Duration = Duration::from_secs(15);

/// Answers requests until the state's `stop` is raised, and then finishes those
/// in hand.
///
/// # Errors
/// When the listener breaks.
///
/// # Panics
/// Never: nobody closes the seats.
pub async fn serve(listener: TcpListener, state: State) -> std::io::Result<()> {
    info!(address = %listener.local_addr()?, "The API listens");
    let stop = state.stop.clone();
    let (router, seats, tasks) = (router(state), Arc::new(Semaphore::new(CONNECTIONS)), TaskTracker::new());
    loop {
        let seat = tokio::select! {
            () = stop.cancelled() => break,
            seat = Arc::clone(&seats).acquire_owned() => seat.expect("nobody closes the seats"),
        };
        let stream = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    warn!(%error, "A connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
        };
        let (router, stop) = (router.clone(), stop.clone());
        tasks.spawn(async move {
            connection(stream, router, stop).await;
            drop(seat);
        });
    }
    tasks.close();
    if tokio::time::timeout(DRAIN_WITHIN, tasks.wait()).await.is_err() {
        warn!("Requests in hand took too long and are cut off");
    }
    Ok(())
}

/// Serves one connection to its end; a stop lets the request in hand finish.
async fn connection(stream: TcpStream, router: Router, stop: CancellationToken) {
    let service = service_fn(move |request: Request<Incoming>| {
        let mut router = router.clone();
        async move { router.call(request.map(Body::new)).await }
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_WITHIN)
        .max_buf_size(HEADER_MAX_BYTES)
        .max_headers(HEADER_FIELDS)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(serving);
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = stop.cancelled() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        debug!(%error, "A connection ended early");
    }
}
