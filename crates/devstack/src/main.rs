//! Starts a stack, says what a shell needs to use it, and waits for Ctrl-C.
//!
//! `--no-install` refuses to install anything, `--management` adds RabbitMQ's
//! console, `--postgres-only` leaves RabbitMQ out, and `--fresh` shows a new
//! database and a new virtual host instead of the first ones.

use devstack::{AMQP_URL, DATABASE_URL, Install, Management, Options, Servers, Stack};
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let wants = |name: &str| std::env::args().any(|argument| argument == name);
    let mut options = Options::default().reporting_to(|line| println!("{line}"));
    if wants("--no-install") {
        options.install = Install::Never;
    }
    if wants("--management") {
        options.management = Management::On;
    }
    if wants("--postgres-only") {
        options.servers = Servers::PostgresOnly;
    }
    let servers = options.servers;
    // One listener from the beginning: a signal between two would be lost.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let stack = tokio::select! {
        stack = Stack::start(options) => stack?,
        _ = interrupt.recv() => return Ok(()),
    };
    for (name, value) in stack.environment() {
        println!("export {name}='{value}'");
    }
    if let Some(url) = stack.management_url() {
        println!("RabbitMQ's console: {url}");
    }
    if wants("--fresh") {
        println!("export {DATABASE_URL}='{}'", stack.fresh_database("fresh").await?);
        if servers == Servers::Both {
            println!("export {AMQP_URL}='{}'", stack.fresh_vhost().await?);
        }
    }
    println!("Ctrl-C ends it");
    interrupt.recv().await;
    stack.stop().await
}
