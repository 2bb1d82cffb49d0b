//! `outflow health`: asks a process of ours whether it answers, for containers
//! that have no other program to ask with.

use std::time::Duration;

use anyhow::Result;

use crate::cli::Health;
use crate::exit::{Exit, Failure};

/// The longest that an answer may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// Asks once.
///
/// # Errors
/// When nobody answers there in time, or the answer is another than 200.
pub(crate) async fn run(wish: &Health) -> Result<()> {
    let client = reqwest::Client::builder().timeout(PATIENCE).no_proxy().build()?;
    let unwell = |what: String| Failure::new(Exit::Unreachable, what, "look at the log of that process");
    let answer = client.get(&wish.url).send().await;
    let answer = answer.map_err(|error| unwell(format!("{} does not answer", wish.url)).because(error))?;
    if answer.status() != reqwest::StatusCode::OK {
        return Err(unwell(format!("{} answers {}", wish.url, answer.status())).into());
    }
    Ok(())
}
