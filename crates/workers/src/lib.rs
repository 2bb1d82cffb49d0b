//! Where rules, rows, messages and time meet: one module per duty.
//!
//! Every worker has four beats: **take · decide · write once · answer**. It
//! reads the clock once per unit of work and hands the moment down. Internal
//! messages carry ids: the row is the truth and the message a nudge, so a lost
//! or repeated one is harmless.
//!
//! - Nothing is acknowledged before the commit.
//! - Nothing is published outside the outbox.
//! - No gateway is called inside a transaction.
//! - Every state change is a compare-and-set that leaves a transition row.

pub mod approval;
mod bank_run;
mod cases;
mod circuit;
mod clock;
pub mod codes;
pub mod dead_letter;
pub mod deadlines;
pub mod decisions;
mod demand;
mod effect;
mod error;
pub mod events;
pub mod expiry;
mod explain;
pub mod facts;
mod failpoint;
mod gate;
pub mod holds;
pub mod intake;
mod late;
mod nudge;
mod orders;
mod outcome;
pub mod parked;
pub mod parking;
pub mod patience;
pub mod payout;
mod policy;
pub mod quote;
pub mod reconcile;
pub mod relay;
pub mod release;
mod reroute;
mod route_guard;
pub mod settle;
pub mod statement;
mod traceparent;
pub mod verification;
pub mod verify;

pub use bank_run::BankRules;
pub use clock::Clock;
pub use decisions::Desk;
pub use effect::effect_digest;
pub use error::Error;
pub use explain::explanations;
pub use payout::Till;
pub use policy::PayoutPolicy;
pub use traceparent::GATEWAY_CALLS;
