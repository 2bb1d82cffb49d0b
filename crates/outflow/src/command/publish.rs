//! `outflow publish`: message files into the right queues, as an upstream would.
//!
//! Every message is read by the contract's own parser first, and nothing is
//! published when one of them is wrong. What is sent are the bytes of the file.

use anyhow::Result;
use broker::{Outgoing, Published, Publisher};
use serde_json::json;

use super::messages::{self, Message};
use crate::cli::{General, Output, Publish};
use crate::exit::{Exit, Failure};
use crate::settings::Settings;
use crate::{output, wiring};

/// Checks and publishes the messages of a file.
///
/// # Errors
/// When a message breaks the contract, the broker is away, or it is unknown
/// whether it has a message: publishing the file again is then safe.
pub(crate) async fn run(general: &General, arguments: &Publish) -> Result<()> {
    let messages = messages::all_fit(&messages::read(&arguments.file)?)?;
    let settings = Settings::load(general.config.as_deref())?;
    let connections = wiring::broker(&settings, "outflow publish").await?;
    let outgoing: Vec<Outgoing> =
        messages.iter().map(|it| Outgoing::work(it.queue, it.id.clone(), it.body().to_vec())).collect();
    let results = Publisher::new(&connections).publish_all(&outgoing).await;
    tell(general.output, &messages, &results);
    judge(&results)?;
    output::talk(&format!("Messages on disk at the broker: {}", results.len()));
    output::next(general, "outflow list");
    Ok(())
}

fn tell(output: Output, messages: &[Message], results: &[Published]) {
    let word = |result: &Published| match result {
        Published::Confirmed => "confirmed",
        Published::Returned(_) => "returned",
        Published::Unknown(_) => "unknown",
    };
    let rows = messages.iter().zip(results);
    if output.is_data() {
        let rows = rows.map(
            |(it, result)| json!({ "id": it.id, "type": it.kind, "queue": it.queue, "result": word(result) }),
        );
        output::data(output, &rows.collect());
        return;
    }
    let mut table = output::table(&["message", "type", "queue", "result"]);
    for (it, result) in rows {
        table.add_row([it.id.as_str(), it.kind.as_str(), it.queue, word(result)]);
    }
    println!("{table}");
}

/// An error for the first message that is not certain to have arrived.
pub(super) fn judge(results: &[Published]) -> Result<()> {
    let unknown = results.iter().find_map(|it| match it {
        Published::Unknown(why) => Some(why),
        _ => None,
    });
    if let Some(why) = unknown {
        let next = "publish the file again: a repeated message changes nothing";
        let what = "the broker did not confirm every message";
        return Err(Failure::new(Exit::Unknown, what, next).because(anyhow::anyhow!(why.clone())).into());
    }
    let returned = results.iter().find_map(|it| match it {
        Published::Returned(why) => Some(why),
        _ => None,
    });
    if let Some(why) = returned {
        let failure =
            Failure::new(Exit::Unreachable, "there is no queue for a message", "outflow topology apply");
        return Err(failure.because(anyhow::anyhow!(why.clone())).into());
    }
    Ok(())
}
