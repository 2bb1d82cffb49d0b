//! Accepts connections and closes those that a fault wants closed.
//!
//! The loop is our own instead of `axum::serve`, because the most valuable fault
//! is a connection that ends without an answer, which a handler cannot express.

use std::convert::Infallible;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, RwLock};

use axum::Router;
use axum::body::Body;
use axum::extract::DefaultBodyLimit;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_service::Service as _;

use crate::book::{Book, BookError, BookReport, Trade};
use crate::clock::rfc3339;
use crate::control;
use crate::delivery::CloseInstead;
use crate::keys::{Keys, KeysError};
use crate::options::{Callbacks, Options};
use crate::postman::{self, Postman};
use crate::requests::{Note, Ring};
use crate::scenario::ScenarioError;
use crate::statement::Downloads;
use crate::world::{Shared, World};
use crate::{alipay, bank, unionpay, wechat};

/// The largest request body that is read.
const BODY_MAX_BYTES: usize = 10 * 1024 * 1024;

/// Why the simulator did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The key folder is not usable.
    #[error("keys")]
    Keys(#[from] KeysError),
    /// The book is not usable.
    #[error("book")]
    Book(#[from] BookError),
    /// The scenario is not one.
    #[error("scenario")]
    Scenario(#[from] ScenarioError),
    /// The address could not be bound.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
}

/// Starts simulators.
pub struct Simulator;

/// A simulator that answers until it is stopped or dropped.
pub struct Running {
    world: Shared,
    address: SocketAddr,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// A fault asked for the connection to be closed without an answer.
#[derive(Debug, thiserror::Error)]
#[error("closed on purpose")]
struct ClosedOnPurpose;

impl Simulator {
    /// Reads keys and book, binds the address and begins to answer.
    ///
    /// # Errors
    /// [`StartError`] naming what was not usable.
    pub async fn start(options: Options) -> Result<Running, StartError> {
        let Options { listen, keys_dir, book_path, clock, switches, callbacks, scenario } = options;
        let keys = Keys::load_or_generate(&keys_dir, switches.signing)?;
        let book = Book::open(&book_path)?;
        let failed = |source| StartError::Listen { address: listen, source };
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let world = Arc::new(World {
            keys,
            clock,
            book,
            requests: Ring::default(),
            switches,
            postman: Postman::new(),
            downloads: Downloads::default(),
            base_url: format!("http://{address}"),
            callbacks: RwLock::new(callbacks),
            play: RwLock::default(),
            wechat_failures: Mutex::default(),
        });
        if let Some(text) = scenario {
            control::load(&world, &text)?;
        }
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        tasks.spawn(accept(listener, world.clone(), stop.clone(), tasks.clone()));
        tasks.spawn(postman::work(world.clone(), stop.clone()));
        Ok(Running { world, address, stop, tasks })
    }
}

impl Running {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:PORT`, without a slash at its end.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.world.base_url
    }

    /// The keys and settings in use.
    #[must_use]
    pub fn keys(&self) -> &Keys {
        &self.world.keys
    }

    /// What the book says at this moment of the simulator's clock.
    #[must_use]
    pub fn book(&self) -> BookReport {
        self.world.book.enter(self.world.clock.now_ms(), |ledger| BookReport::of(ledger))
    }

    /// Registers paid orders, as `POST /_sim/trades` does.
    ///
    /// # Errors
    /// The number of a trade that is registered with other facts already.
    pub fn register(&self, trades: Vec<Trade>) -> Result<(), String> {
        control::register(&self.world, trades)
    }

    /// Plays a scenario from now on, instead of the one before.
    ///
    /// # Errors
    /// [`ScenarioError`] with the line, the column and a caret.
    pub fn load_scenario(&self, toml: &str) -> Result<(), ScenarioError> {
        control::load(&self.world, toml)
    }

    /// Where notices go whose address is not part of a request.
    pub fn set_callbacks(&self, callbacks: Callbacks) {
        control::set_callbacks(&self.world, callbacks);
    }

    /// The judgement of `GET /_sim/verdict`: whether it passed, and every reason
    /// why it did not.
    #[must_use]
    pub fn verdict(&self) -> (bool, Vec<String>) {
        let verdict = control::judge(&self.world);
        (verdict.passed, verdict.failures)
    }

    /// Ends every connection and waits until nothing runs any more.
    pub async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn routes(world: &Shared) -> Router {
    Router::new()
        .merge(alipay::routes())
        .merge(wechat::routes())
        .merge(unionpay::routes())
        .merge(bank::routes())
        .merge(control::routes())
        .layer(DefaultBodyLimit::max(BODY_MAX_BYTES))
        .with_state(world.clone())
}

async fn accept(listener: TcpListener, world: Shared, stop: CancellationToken, tasks: TaskTracker) {
    let router = routes(&world);
    loop {
        let stream = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "A connection could not be accepted");
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                    continue;
                }
            },
        };
        let (router, world, stop) = (router.clone(), world.clone(), stop.clone());
        tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = serve(stream, router, world) => {}
            }
        });
    }
}

async fn serve(stream: TcpStream, router: Router, world: Shared) {
    // Without it, small answers wait for the peer's delayed acknowledgement.
    let _ = stream.set_nodelay(true);
    let reset = Arc::new(AtomicBool::new(false));
    let wants_reset = reset.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        Box::pin(answer(router.clone(), world.clone(), (request, wants_reset.clone())))
    });
    let mut connection =
        http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
    let served = poll_fn(|context| connection.poll_without_shutdown(context)).await;
    if let Err(error) = served {
        tracing::debug!(%error, "A connection ended early");
    }
    if reset.load(Relaxed) {
        // Closing with a zero linger time sends a reset instead of an end.
        let _ = connection.into_parts().io.into_inner().set_zero_linger();
    }
}

/// One request through the router; the error closes the connection.
async fn answer(
    mut router: Router,
    world: Shared,
    (request, wants_reset): (Request<Incoming>, Arc<AtomicBool>),
) -> Result<Response<Body>, ClosedOnPurpose> {
    let method = request.method().to_string();
    let path = request.uri().path().to_owned();
    let traceparent = request.headers().get("traceparent");
    let traceparent = traceparent.and_then(|it| it.to_str().ok()).map(str::to_owned);
    let response =
        router.call(request.map(Body::new)).await.unwrap_or_else(|never: Infallible| match never {});
    let end = response.extensions().get::<CloseInstead>().copied();
    wants_reset.store(end == Some(CloseInstead::Reset), Relaxed);
    let closed = end.is_some();
    let status = (!closed).then(|| response.status().as_u16());
    let at = rfc3339(world.clock.now_ms());
    world.requests.add(Note { sequence: 0, at, method, path, status, traceparent });
    if closed { Err(ClosedOnPurpose) } else { Ok(response) }
}
