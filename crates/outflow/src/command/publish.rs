//! `outflow publish`: message files into the right queues, as an upstream would.
//!
//! Every message is read by the contract's own parser first, and nothing is
//! published when one of them is wrong. What is sent are the bytes of the file.

use std::io::Read;
use std::path::Path;

use anyhow::Result;
use broker::contract::{
    Fact, LegResolved, Problem, WithdrawalDecided, WithdrawalDetails, WithdrawalRequested, parse_fact,
    parse_instruction, parse_request,
};
use broker::topology::{DECISIONS, FACTS, REQUESTS};
use broker::{Outgoing, Published, Publisher};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use crate::cli::{General, Output, Publish};
use crate::exit::{Exit, Failure};
use crate::settings::Settings;
use crate::{output, wiring};

/// A message that may be published.
#[derive(Debug)]
struct Message {
    id: String,
    kind: String,
    queue: &'static str,
    body: Vec<u8>,
}

/// Checks and publishes the messages of a file.
///
/// # Errors
/// When a message breaks the contract, the broker is away, or it is unknown
/// whether it has a message: publishing the file again is then safe.
pub(crate) async fn run(general: &General, arguments: &Publish) -> Result<()> {
    let text = read(&arguments.file)?;
    let messages = check(&text)?;
    let settings = Settings::load(general.config.as_deref())?;
    let connections = wiring::broker(&settings, "outflow publish").await?;
    let outgoing: Vec<Outgoing> =
        messages.iter().map(|it| Outgoing::work(it.queue, it.id.clone(), it.body.clone())).collect();
    let results = Publisher::new(&connections).publish_all(&outgoing).await;
    tell(general.output, &messages, &results);
    judge(&results)?;
    eprintln!("{} messages are on disk at the broker.\nnext: outflow list", results.len());
    Ok(())
}

/// The text of a file, or of stdin for `-`.
pub(super) fn read(file: &Path) -> Result<String> {
    let text = if file == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(file)
    };
    text.map_err(|error| {
        let what = format!("{} cannot be read", file.display());
        Failure::new(Exit::NotFound, what, "name a file with messages, or `-` for stdin")
            .because(error)
            .into()
    })
}

/// Reads one message, a list of them, or one after the other, and checks each.
fn check(text: &str) -> Result<Vec<Message>> {
    let refused = |what: String| {
        Failure::new(Exit::Refused, what, "nothing was published; correct the file and publish it again")
    };
    let documents: Result<Vec<&RawValue>, _> = if text.trim_start().starts_with('[') {
        serde_json::from_str(text)
    } else {
        serde_json::Deserializer::from_str(text).into_iter().collect()
    };
    let documents = documents.map_err(|error| refused("the file is not JSON".to_owned()).because(error))?;
    if documents.is_empty() {
        return Err(refused("the file has no message".to_owned()).into());
    }
    let mut messages = Vec::with_capacity(documents.len());
    let mut faults = Vec::new();
    for (index, document) in documents.iter().enumerate() {
        match message(document.get()) {
            Ok(message) => messages.push(message),
            Err(problem) => {
                let pointer = problem.pointer.as_deref().filter(|it| !it.is_empty()).unwrap_or("the message");
                faults.push(format!(
                    "message {}: {pointer} {} ({})",
                    index + 1,
                    problem.detail,
                    problem.code
                ));
            }
        }
    }
    if faults.is_empty() {
        return Ok(messages);
    }
    let what = format!("{} of {} messages break the contract", faults.len(), documents.len());
    Err(refused(what).because(anyhow::anyhow!(faults.join("\n"))).into())
}

/// One message, read by the parser of the queue that its type belongs to.
fn message(text: &str) -> Result<Message, Problem> {
    #[derive(Deserialize)]
    struct Kind {
        #[serde(rename = "type")]
        kind: String,
    }
    let body = text.as_bytes();
    // A message without a readable type meets the parser of facts, which says so.
    let kind = serde_json::from_str::<Kind>(text).map(|it| it.kind).unwrap_or_default();
    let (queue, id) = match kind.as_str() {
        WithdrawalRequested::KIND => (REQUESTS, parse_request(body)?.id),
        WithdrawalDecided::KIND | WithdrawalDetails::KIND | LegResolved::KIND => {
            (DECISIONS, parse_instruction(body)?.id)
        }
        _ => (FACTS, parse_fact(body)?.id),
    };
    debug_assert!(queue != FACTS || Fact::TYPES.contains(&kind.as_str()), "the parser knows its types");
    Ok(Message { id: id.to_string(), kind, queue, body: body.to_vec() })
}

fn tell(output: Output, messages: &[Message], results: &[Published]) {
    let word = |result: &Published| match result {
        Published::Confirmed => "confirmed",
        Published::Returned(_) => "returned",
        Published::Unknown(_) => "unknown",
    };
    let rows = messages.iter().zip(results);
    if output == Output::Json {
        let rows = rows.map(
            |(it, result)| json!({ "id": it.id, "type": it.kind, "queue": it.queue, "result": word(result) }),
        );
        output::json(&rows.collect());
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

#[cfg(test)]
mod tests {
    use super::check;

    const FACT: &str = r#"{"specversion":"1.0","id":"1","source":"/shop","type":"outflow.usage.unbilled.v1","time":"2026-09-23T09:30:00+08:00","data":{"account_id":"a","version":1,"amount":"1.00","currency":"CNY"}}"#;

    #[test]
    fn a_file_has_one_message_or_a_list_or_one_a_line() {
        for (text, count) in
            [(FACT.to_owned(), 1), (format!("[{FACT},{FACT}]"), 2), (format!("{FACT}\n{FACT}\n{FACT}\n"), 3)]
        {
            let messages = check(&text).unwrap();
            assert_eq!(messages.len(), count);
            assert!(messages.iter().all(|it| it.queue == "outflow.facts" && it.body == FACT.as_bytes()));
        }
    }

    #[test]
    fn one_wrong_message_keeps_all_of_them_back_and_each_fault_is_named() {
        let wrong = FACT.replace("\"1.00\"", "1.00");
        let error = format!("{:#}", check(&format!("{FACT}\n{wrong}\n{{}}")).unwrap_err());
        assert!(error.contains("2 of 3 messages"), "{error}");
        assert!(error.contains("message 2: /data/amount") && error.contains("message 3"), "{error}");
        for text in ["", "[]", "nonsense"] {
            assert!(check(text).is_err(), "{text:?}");
        }
    }
}
