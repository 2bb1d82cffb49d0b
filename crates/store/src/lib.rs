//! PostgreSQL: every statement and migration, no decisions.
//!
//! Workers decide; this crate writes what they decided. Statements take arrays
//! (`unnest`), so that a batch costs a handful of round trips, and the moment
//! as an argument, so that the clock stays with the caller.
//!
//! Whoever locks, locks in this order, and so never waits in a circle:
//! accounts by id ▸ withdrawals by id ▸ legs by id ▸ payees by key ▸ top-ups.

pub mod accounts;
pub mod approvals;
pub mod attempts;
pub mod audit;
pub mod bank_accounts;
pub mod bank_files;
pub mod bank_runs;
pub mod books;
pub mod checks;
pub mod circuits;
mod database;
pub mod deadline_alerts;
pub mod decisions;
pub mod demands;
mod error;
pub mod facts;
pub mod gauges;
pub mod history;
pub mod instructions;
pub mod interventions;
pub mod journal;
pub mod late_effects;
pub mod legs;
pub mod measures;
pub mod notices;
pub mod operators;
pub mod outbox;
pub mod overview;
pub mod parked;
pub mod reminders;
pub mod requests;
pub mod resolutions;
pub mod roles;
pub mod schema;
pub mod statement_days;
pub mod statement_differences;
pub mod stops;
pub mod top_ups;
pub mod trace;
mod vault;
pub mod verification_codes;
pub mod verify;
pub mod withdrawals;
mod word;

pub use database::{Database, Tx};
pub use error::Error;
pub use vault::{BadKey, Vault, VaultKey};
