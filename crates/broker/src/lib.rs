//! RabbitMQ: which queues exist, the JSON contract, batch consuming, confirmed publishing.
//!
//! - [`topology`]: exchanges, queues and bindings as one table; applied and compared.
//! - [`access`]: who may do what, and [`definitions()`]: all of it as a document for a broker's import.
//! - [`contract`]: what the messages say, and what is wrong with those that say it badly.
//! - [`Inbox`] takes batches; nothing is acknowledged before the caller says so.
//! - [`Publisher`] publishes with confirms; a message that reached no queue is told apart.
//!
//! Consuming and publishing use separate connections ([`Connections`]), because
//! RabbitMQ stops reading from a connection that publishes during an alarm, and
//! the acknowledgements behind it would wait too. Both come back by themselves.

pub mod access;
mod connection;
mod consume;
pub mod contract;
mod definitions;
mod depths;
mod publish;
mod receipt;
pub mod topology;

pub use connection::{Connections, Error, Session};
pub use consume::{Batch, BatchLimits, Delivery, Inbox};
pub use definitions::{definitions, password_hash, user_names};
pub use depths::{Counted, Depth, depths};
pub use publish::{Outgoing, Published, Publisher, Routing};
pub use receipt::Settled;
