//! What the API asks others to do.
//!
//! HTTP and workers do not know each other: the same decision code serves the
//! queues and this door, and whoever wires the process hands it in as an
//! [`Engine`]. Each of its writes is one transaction that also holds the audit
//! row, so that nothing is done here that nobody did.

use std::pin::Pin;
use std::sync::Arc;

use broker::contract::{Envelope, Identifier, Instruction, MessageId, Problem, WithdrawalRequested};
use chrono::{DateTime, NaiveTime, Utc};
use domain::{Calendar, Currency, Money, Route};
use serde_json::Value;
use store::audit::Deed;
use store::parked::Kept;
use store::withdrawals::Withdrawal;
use uuid::Uuid;

/// An answer that takes a while.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = Result<T, Failed>> + Send + 'a>>;

/// Why there is no answer.
#[derive(Debug)]
pub enum Failed {
    /// A rule says no, for every one of these reasons. What had to be kept of it was kept.
    Refused(Vec<Problem>),
    /// The database is away or refuses.
    Store(store::Error),
}

impl From<store::Error> for Failed {
    fn from(error: store::Error) -> Self {
        Self::Store(error)
    }
}

impl From<Problem> for Failed {
    fn from(problem: Problem) -> Self {
        Self::Refused(vec![problem])
    }
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Requested {
    /// The withdrawal that answers it.
    pub withdrawal: Withdrawal,
    /// It came before with the same content, and decided nothing now.
    pub repeated: bool,
}

/// For what a verification code is asked (R10).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeWish {
    /// Whose money.
    pub account_id: Identifier,
    /// How much will be asked for.
    pub amount: Money,
    /// In which currency.
    pub currency: Currency,
    /// By which route.
    pub route: Route,
    /// The key that the request will have.
    pub request_id: MessageId,
}

/// A code on its way to its customer.
#[derive(Debug)]
pub struct IssuedCode {
    /// The number under which it is confirmed.
    pub id: Uuid,
    /// From then on it is of no use.
    pub expires_at: DateTime<Utc>,
    /// The code, where the process may show it: on a machine of one's own.
    pub code: Option<String>,
}

/// Who decides, moves and seals behind the API.
pub trait Engine: Send + Sync + 'static {
    /// The moment, by the clock of the workers.
    fn now(&self) -> DateTime<Utc>;

    /// Decides a request exactly as the intake does, once per source and id.
    ///
    /// Refused with `in_progress` while another call decides the same one, and
    /// with `conflict` where another content came under its id.
    fn request(&self, message: Envelope<WithdrawalRequested>, deed: Deed) -> Later<'_, Requested>;

    /// Applies a decision or bank details exactly as from the queue of decisions.
    fn instruct(&self, message: Envelope<Instruction>, deed: Deed) -> Later<'_, Withdrawal>;

    /// What an account could withdraw now; nothing when nobody knows it.
    fn quote<'a>(&'a self, account_id: &'a str) -> Later<'a, Option<Value>>;

    /// Issues a verification code.
    fn issue_code(&self, wish: CodeWish, deed: Deed) -> Later<'_, IssuedCode>;

    /// Turns an entered code into the token that a request carries.
    fn confirm_code(&self, id: Uuid, entered: String, deed: Deed) -> Later<'_, String>;

    /// A parked message, masked, and what was sent instead of it.
    ///
    /// # Errors
    /// When its key is not in the ring.
    fn opened(&self, kept: &Kept) -> Result<(String, Option<String>), store::Error>;

    /// Sends a parked message again, edited or as it came; answers with the difference.
    fn replay(&self, id: Uuid, edited: Option<String>, deed: Deed) -> Later<'_, Value>;

    /// Resolves a parked message without sending anything.
    fn discard(&self, id: Uuid, deed: Deed) -> Later<'_, ()>;

    /// Publishes a request as an upstream would, confirmed by the broker.
    fn publish(&self, message: Envelope<WithdrawalRequested>, deed: Deed) -> Later<'_, ()>;
}

/// The engine, and what people are told about how it decides.
#[derive(Clone)]
pub struct Desk {
    /// Who does it.
    pub engine: Arc<dyn Engine>,
    /// R7b: working days.
    pub calendar: Arc<Calendar>,
    /// When bank payouts go out on working days.
    pub bank_cut_offs: Vec<NaiveTime>,
    /// Set on a machine of one's own: more is shown there, and cookies travel without TLS.
    pub dev: Option<Dev>,
}

/// What only a machine of one's own has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dev {
    /// The gateway simulator.
    pub simulator_url: Option<String>,
}
