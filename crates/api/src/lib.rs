//! HTTP: what became of a withdrawal, whether the service is well, and metrics.
//!
//! ```text
//! GET  /v1/withdrawals/{id}   the withdrawal leg by leg (R13), as its events tell it
//! POST /v1/notices/{channel}  alipay, wechat, unionpay, bank: what they tell us by themselves
//! GET  /healthz               this process runs
//! GET  /readyz                … and its database and its broker answer
//! GET  /metrics               for Prometheus
//! ```
//!
//! Every refusal is an RFC 9457 problem, the same object as in events and dead
//! letters; a notice is answered in the words of its channel. Nothing here moves
//! a withdrawal: requests and decisions come through the broker, and a notice
//! becomes a row that settle looks at.
//!
//! There is no authentication yet but the channels' signatures: bind it to an
//! address that only operations can reach, and let the world in to
//! `/v1/notices/` alone.

mod health;
mod measure;
mod notice;
mod refusal;
mod serve;
mod withdrawal;

pub use serve::{BODY_MAX_BYTES, REQUEST_TIMEOUT, router, serve};

use std::sync::Arc;

use broker::Connections;
use chrono::{DateTime, Utc};
use gateways::Gateways;
use store::Database;
use tokio_util::sync::CancellationToken;

use crate::measure::Gauges;

/// What the routes work with. Cheap to clone.
#[derive(Clone)]
pub struct State {
    database: Database,
    connections: Connections,
    gauges: Arc<Gauges>,
    /// Who verifies notices; without it they are answered with 503 and sent again.
    mailbox: Option<Mailbox>,
    /// Raised when the process is about to end: it is not ready any more.
    stop: CancellationToken,
}

/// Whose time it is.
pub type Now = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// What notices are verified and dated with.
#[derive(Clone)]
struct Mailbox {
    gateways: Arc<Gateways>,
    now: Now,
}

impl State {
    /// A state over what the process has opened. `stop` ends [`serve`] too.
    #[must_use]
    pub fn new(database: Database, connections: Connections, stop: CancellationToken) -> Self {
        Self { database, connections, gauges: Arc::new(Gauges::new()), mailbox: None, stop }
    }

    /// The state of an API that takes notices too, verified with the keys of
    /// `gateways` and dated by `now`.
    #[must_use]
    pub fn taking_notices(self, gateways: Arc<Gateways>, now: Now) -> Self {
        Self { mailbox: Some(Mailbox { gateways, now }), ..self }
    }
}
