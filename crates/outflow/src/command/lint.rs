//! `outflow lint`: whether message files fit the contract, without any server.

use anyhow::Result;
use broker::contract::Problem;
use serde_json::{Value, json};

use crate::cli::{General, MessageFile};
use crate::command::messages::{self, Checked, fault};
use crate::exit::{Exit, Failure};
use crate::output;

/// Checks each message of a file and names the first fault of each.
///
/// # Errors
/// When the file cannot be read, or a message breaks the contract.
pub(crate) fn run(general: &General, arguments: &MessageFile) -> Result<()> {
    let file = arguments.file.display();
    let found = messages::each(&messages::read(&arguments.file)?)?;
    if general.output.is_data() {
        output::data(general.output, &found.iter().zip(1..).map(in_json).collect());
    } else {
        let mut table = output::table(&["message", "type", "queue", "verdict"]);
        for it in &found {
            let (queue, verdict) = match &it.verdict {
                Ok(message) => (message.queue, "fits".to_owned()),
                Err(problem) => ("", fault(problem)),
            };
            let named = |it: &Option<String>| it.clone().unwrap_or_default();
            table.add_row([named(&it.id), named(&it.kind), queue.to_owned(), verdict]);
        }
        output::page(&format!("{table}\n"));
    }
    let broken: Vec<&Problem> = found.iter().filter_map(|it| it.verdict.as_ref().err()).collect();
    let Some(first) = broken.first() else {
        output::talk(&format!("Messages that fit the contract: {}", found.len()));
        output::next(general, &format!("outflow dry-run {file} · outflow publish {file}"));
        return Ok(());
    };
    let what = format!("{} of {} messages break the contract", broken.len(), found.len());
    Err(Failure::new(Exit::Refused, what, format!("outflow explain {}", first.code)).into())
}

fn in_json((it, place): (&Checked, usize)) -> Value {
    let queue = it.verdict.as_ref().ok().map(|it| it.queue);
    let problem = it.verdict.as_ref().err();
    json!({ "place": place, "id": it.id, "type": it.kind, "queue": queue, "problem": problem })
}
