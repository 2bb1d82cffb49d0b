//! Messages of people that a command publishes, and what came of them.

use std::time::Duration;

use anyhow::{Context, Result};
use broker::contract::Stamp;
use broker::topology::DECISIONS;
use broker::{Outgoing, Publisher};
use store::{Database, instructions};
use strum::IntoEnumIterator;
use uuid::Uuid;
use workers::Clock;
use workers::decisions::Refusal;

use super::publish;
use crate::exit::{Exit, Failure};
use crate::settings::Settings;
use crate::wiring;

/// Who sends the messages of these commands.
pub(crate) const SOURCE: &str = "/outflow/cli";

/// How often the database is asked what came of a message, and how long.
const LOOK_EVERY: Duration = Duration::from_millis(100);
const LOOKS: usize = 100;

/// A stamp of this command line, at this moment.
pub(crate) fn stamp() -> Stamp {
    Stamp {
        source: SOURCE.parse().expect("it is a URI reference"),
        id: Uuid::now_v7().to_string().parse().expect("a UUID is a short text"),
        time: Clock::System.now(),
    }
}

/// Publishes a message and waits for the word that a decisions worker keeps with
/// it, such as `applied`.
///
/// # Errors
/// [`Exit::Refused`] with every reason when it changed nothing, [`Exit::Unknown`]
/// when no worker has read it in time, and when a server is away.
pub(crate) async fn say(
    settings: &Settings,
    database: &Database,
    (withdrawal, id): (Uuid, &str),
    body: Vec<u8>,
) -> Result<String> {
    let connections = wiring::broker(settings, "outflow").await?;
    let message = Outgoing::work(DECISIONS, id.to_owned(), body);
    let result = Publisher::new(&connections).publish(message).await;
    publish::judge(std::slice::from_ref(&result))?;
    let next = format!("outflow show {withdrawal}");
    let Some(word) = wait(database, id).await.context("asking what came of it")? else {
        let what = "the message is on disk at the broker, and no decisions worker has read it yet";
        return Err(Failure::new(Exit::Unknown, what, next).into());
    };
    let reasons: Vec<String> = word.split(' ').filter_map(refusal).collect();
    if reasons.is_empty() {
        return Ok(word);
    }
    let what = format!("it changed nothing: {}", reasons.join("; "));
    Err(Failure::new(Exit::Refused, what, next).into())
}

/// The reason behind a word that is one.
fn refusal(word: &str) -> Option<String> {
    let known = Refusal::iter().find(|it| it.to_string() == word)?;
    Some(format!("{} ({word})", known.problem().detail))
}

/// The word for what came of the message; nothing when no worker has read it in time.
async fn wait(database: &Database, id: &str) -> Result<Option<String>> {
    for _ in 0..LOOKS {
        let mut connection = database.pool().acquire().await?;
        let known = instructions::known(&mut connection, &[SOURCE], &[id]).await?;
        if let Some(it) = known.into_iter().next() {
            return Ok(Some(it.result));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(None)
}
