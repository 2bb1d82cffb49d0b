//! The facts worker on a real PostgreSQL, fed as an upstream would feed it.

mod gaps;
mod histories;
mod intake_of_facts;
mod refusals;
mod secrecy_at_rest;
mod through_the_broker;
mod world;
