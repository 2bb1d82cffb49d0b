//! Starts a stack, says what a shell needs to use it, and waits for Ctrl-C.

use clap::Parser;
use devstack::{AMQP_URL, DATABASE_URL, Install, Management, Options, Servers, Stack};
use tokio::signal::unix::{SignalKind, signal};

/// A throw-away `PostgreSQL` and `RabbitMQ` of one's own, until Ctrl-C.
#[derive(Debug, Parser)]
#[command(name = "devstack", version)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
struct Arguments {
    /// Fail instead of installing a server that is missing
    #[arg(long)]
    no_install: bool,
    /// Add RabbitMQ's console
    #[arg(long)]
    management: bool,
    /// Leave RabbitMQ out
    #[arg(long)]
    postgres_only: bool,
    /// Show a new database and a new virtual host instead of the first ones
    #[arg(long)]
    fresh: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let mut options = Options::default().reporting_to(|line| println!("{line}"));
    if arguments.no_install {
        options.install = Install::Never;
    }
    if arguments.management {
        options.management = Management::On;
    }
    if arguments.postgres_only {
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
    if arguments.fresh {
        println!("export {DATABASE_URL}='{}'", stack.fresh_database("fresh").await?);
        if servers == Servers::Both {
            println!("export {AMQP_URL}='{}'", stack.fresh_vhost().await?);
        }
    }
    println!("Ctrl-C ends it");
    interrupt.recv().await;
    stack.stop().await
}
