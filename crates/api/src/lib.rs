//! HTTP: the API for programs, the console for people, and the gateways' notices.
//!
//! ```text
//! /v1/…                       the API: bearer tokens with roles; `/v1/openapi.json` describes it
//! POST /v1/notices/{channel}  alipay, wechat, unionpay, bank: what they tell us by themselves
//! GET  /healthz  /readyz  /metrics
//! ```
//!
//! Every refusal is an RFC 9457 problem, the same object as in events and dead
//! letters; a notice is answered in the words of its channel. Nothing here
//! decides: a request goes through the intake's code and a decision through that
//! of the decisions, behind an [`Engine`] that whoever wires the process hands
//! in. Every write has its actor, who is the holder of the token, and its row in
//! the audit.

mod account;
mod answer;
mod audited;
mod body;
mod calendar;
mod channel;
mod console;
mod door;
mod engine;
mod explain;
mod health;
mod measure;
mod notice;
pub mod openapi;
mod parked;
mod person;
mod probe;
mod reconciliation;
mod refusal;
mod request;
mod serve;
mod withdrawal;

pub use door::serve;
pub use engine::{CodeWish, Desk, Dev, Engine, Failed, IssuedCode, Later, Requested};
pub use explain::explanations;
pub use probe::probe;
pub use serve::{BODY_MAX_BYTES, REQUEST_TIMEOUT, router};

use std::sync::Arc;

use axum::http::StatusCode;
use broker::Connections;
use chrono::{DateTime, Utc};
use gateways::Gateways;
use store::Database;
use tokio_util::sync::CancellationToken;

use crate::measure::Gauges;
use crate::refusal::Refusal;

/// What the routes work with. Cheap to clone.
#[derive(Clone)]
pub struct State {
    database: Database,
    connections: Connections,
    gauges: Arc<Gauges>,
    /// Who verifies notices; without it they are answered with 503 and sent again.
    mailbox: Option<Mailbox>,
    /// Who decides; without it everything that needs a decision is answered with 503.
    desk: Option<Arc<Desk>>,
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
        let gauges = Arc::new(Gauges::new());
        Self { database, connections, gauges, mailbox: None, desk: None, stop }
    }

    /// The state of an API that takes notices too, verified with the keys of
    /// `gateways` and dated by `now`.
    #[must_use]
    pub fn taking_notices(self, gateways: Arc<Gateways>, now: Now) -> Self {
        Self { mailbox: Some(Mailbox { gateways, now }), ..self }
    }

    /// The state of an API behind which `desk` decides.
    #[must_use]
    pub fn deciding(self, desk: Desk) -> Self {
        Self { desk: Some(Arc::new(desk)), ..self }
    }

    /// Who decides.
    fn desk(&self) -> Result<&Desk, Refusal> {
        self.desk.as_deref().ok_or_else(|| {
            let detail = "this process only tells; another one decides";
            Refusal::new("not_deciding", StatusCode::SERVICE_UNAVAILABLE, detail)
        })
    }
}
