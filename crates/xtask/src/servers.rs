//! The servers that the tests share.
//!
//! One PostgreSQL and one RabbitMQ are started for the whole run, and every test
//! makes a database and a virtual host of its own on them. Tests that stop a
//! server start one for themselves.

use std::io::Write;

use anyhow::Result;
use devstack::{Options, Stack};
use tokio::process::Command;

use crate::run;

/// Runs `command` with a stack that it finds through its environment.
///
/// # Errors
/// When a server does not start, or the command fails.
pub(crate) async fn with_servers(mut command: Command) -> Result<()> {
    let options = Options::default().reporting_to(|line| {
        // A closed terminal is no reason to stop.
        let _ = writeln!(std::io::stdout(), "{line}");
    });
    let stack = Stack::start(options).await?;
    command.envs(stack.environment());
    let done = run::to_the_end(command).await;
    stack.stop().await?;
    done
}
