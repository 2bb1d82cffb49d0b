//! HTTP: what became of a withdrawal, whether the service is well, and metrics.
//!
//! ```text
//! GET /v1/withdrawals/{id}   the withdrawal leg by leg (R13), as its events tell it
//! GET /healthz               this process runs
//! GET /readyz                … and its database and its broker answer
//! GET /metrics               for Prometheus
//! ```
//!
//! Every refusal is an RFC 9457 problem, the same object as in events and dead
//! letters. Nothing here changes anything: requests and decisions come through
//! the broker. Notifications of gateways will be routes of their own beside
//! `withdrawal`, under `/notify/`, because they are signed by others and read
//! as raw bytes.
//!
//! There is no authentication yet: bind it to an address that only operations
//! can reach.

mod health;
mod measure;
mod refusal;
mod serve;
mod withdrawal;

pub use serve::{BODY_MAX_BYTES, REQUEST_TIMEOUT, router, serve};

use std::sync::Arc;

use broker::Connections;
use store::Database;
use tokio_util::sync::CancellationToken;

use crate::measure::Gauges;

/// What the routes work with. Cheap to clone.
#[derive(Clone)]
pub struct State {
    database: Database,
    connections: Connections,
    gauges: Arc<Gauges>,
    /// Raised when the process is about to end: it is not ready any more.
    stop: CancellationToken,
}

impl State {
    /// A state over what the process has opened. `stop` ends [`serve`] too.
    #[must_use]
    pub fn new(database: Database, connections: Connections, stop: CancellationToken) -> Self {
        Self { database, connections, gauges: Arc::new(Gauges::new()), stop }
    }
}
