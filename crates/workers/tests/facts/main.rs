//! The facts worker on a real PostgreSQL, fed as an upstream would feed it.

#![expect(clippy::unwrap_used, reason = "a panic is how a test says that its stage is broken")]

mod gaps;
mod histories;
mod intake_of_facts;
mod interventions;
mod mixed;
mod oracle;
mod refusals;
mod secrecy_at_rest;
mod through_the_broker;
mod world;
