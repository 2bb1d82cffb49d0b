//! A throw-away PostgreSQL and RabbitMQ of one's own on free loopback ports.
//!
//! Each server comes from the first of these that there is:
//!
//! 1. the one that `OUTFLOW_DATABASE_URL` or `OUTFLOW_AMQP_URL` names, which is
//!    neither started nor stopped;
//! 2. programs that are installed, started in a temporary folder;
//! 3. on Debian and Ubuntu, as root or with a `sudo` that asks no password,
//!    packages that are installed with `apt-get` first, and a line says so;
//! 4. otherwise an error that says what to install.
//!
//! PostgreSQL trusts everyone on loopback; RabbitMQ has one user with a random
//! password. Nothing listens on another address, and nothing of a PostgreSQL or
//! RabbitMQ that the machine itself runs is touched.
//!
//! ```no_run
//! # async fn example() -> anyhow::Result<()> {
//! let options = devstack::Options::default().reporting_to(|line| println!("{line}"));
//! let stack = devstack::Stack::start(options).await?;
//! let database = stack.fresh_database("example").await?;
//! let broker = stack.fresh_vhost().await?;
//! // … work with both …
//! stack.stop().await
//! # }
//! ```
//!
//! Tests share one stack: whoever runs them starts it, and gives
//! [`Stack::environment`] to the processes of the tests. There
//! [`Stack::start`] costs nothing, and [`Stack::fresh_database`] and
//! [`Stack::fresh_vhost`] keep the tests apart.

mod answer;
mod child;
mod database;
mod folder;
mod install;
mod locate;
mod options;
mod ports;
mod postgres;
mod process;
mod rabbitmq;
mod server;
mod stack;
mod stale;
mod vhost;

pub use options::{Environment, Install, Management, Options, Reporter, Servers};
pub use postgres::Postgres;
pub use rabbitmq::{Invitation, RabbitMq};
pub use stack::{AMQP_URL, DATABASE_URL, FOLDER, Stack};
