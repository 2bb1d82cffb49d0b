//! Message files: read as a whole, each message by the parser of its queue.

use std::io::Read;
use std::path::Path;

use anyhow::Result;
use broker::contract::{
    Fact, LegResolved, Problem, WithdrawalDecided, WithdrawalDetails, WithdrawalRequested, parse_fact,
    parse_instruction, parse_request,
};
use broker::topology::{DECISIONS, FACTS, REQUESTS};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::exit::{Exit, Failure};

/// A message that fits the contract.
#[derive(Debug)]
pub(super) struct Message {
    /// The sender's id of it.
    pub(super) id: String,
    /// Its type.
    pub(super) kind: String,
    /// The queue that takes it.
    pub(super) queue: &'static str,
    text: String,
}

impl Message {
    /// The bytes of the file.
    pub(super) fn body(&self) -> &[u8] {
        self.text.as_bytes()
    }
}

/// A message that was checked, with what it calls itself as far as that can be read.
#[derive(Debug)]
pub(super) struct Checked {
    /// Its id, where it has one.
    pub(super) id: Option<String>,
    /// Its type, where it has one.
    pub(super) kind: Option<String>,
    /// The message, or what is wrong with it.
    pub(super) verdict: Result<Message, Problem>,
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
pub(super) fn each(text: &str) -> Result<Vec<Checked>> {
    let refused = |what: &str| Failure::new(Exit::Refused, what, "correct the file; nothing was changed");
    let documents: Result<Vec<&RawValue>, _> = if text.trim_start().starts_with('[') {
        serde_json::from_str(text)
    } else {
        serde_json::Deserializer::from_str(text).into_iter().collect()
    };
    let documents = documents.map_err(|error| refused("the file is not JSON").because(error))?;
    if documents.is_empty() {
        return Err(refused("the file has no message").into());
    }
    Ok(documents.iter().map(|document| check(document.get())).collect())
}

/// The same, when all of them fit.
///
/// # Errors
/// When one of them does not: every fault of every message is named.
pub(super) fn all_fit(text: &str) -> Result<Vec<Message>> {
    let read = each(text)?;
    let (count, mut messages, mut faults) = (read.len(), Vec::new(), Vec::new());
    for (index, it) in read.into_iter().enumerate() {
        match it.verdict {
            Ok(message) => messages.push(message),
            Err(problem) => faults.push(format!("message {}: {}", index + 1, fault(&problem))),
        }
    }
    if faults.is_empty() {
        return Ok(messages);
    }
    let what = format!("{} of {count} messages break the contract", faults.len());
    let next = "nothing was published; correct the file and publish it again";
    Err(Failure::new(Exit::Refused, what, next).because(anyhow::anyhow!(faults.join("\n"))).into())
}

/// A problem in one line: where, what, and the code.
pub(super) fn fault(problem: &Problem) -> String {
    let pointer = problem.pointer.as_deref().filter(|it| !it.is_empty()).unwrap_or("the message");
    format!("{pointer} {} ({})", problem.detail, problem.code)
}

fn check(text: &str) -> Checked {
    let document: Value = serde_json::from_str(text).unwrap_or_default();
    let named = |field: &str| document.get(field)?.as_str().map(str::to_owned);
    let (id, kind) = (named("id"), named("type"));
    // A message without a readable type meets the parser of facts, which says so.
    let verdict = message(text, kind.clone().unwrap_or_default());
    Checked { id, kind, verdict }
}

/// One message, read by the parser of the queue that its type belongs to.
fn message(text: &str, kind: String) -> Result<Message, Problem> {
    let body = text.as_bytes();
    let (queue, id) = match kind.as_str() {
        WithdrawalRequested::KIND => (REQUESTS, parse_request(body)?.id),
        WithdrawalDecided::KIND | WithdrawalDetails::KIND | LegResolved::KIND => {
            (DECISIONS, parse_instruction(body)?.id)
        }
        _ => (FACTS, parse_fact(body)?.id),
    };
    debug_assert!(queue != FACTS || Fact::TYPES.contains(&kind.as_str()), "the parser knows its types");
    Ok(Message { id: id.to_string(), kind, queue, text: text.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::all_fit;

    const FACT: &str = r#"{"specversion":"1.0","id":"1","source":"/shop","type":"outflow.usage.unbilled.v1","time":"2026-09-23T09:30:00+08:00","data":{"account_id":"a","version":1,"amount":"1.00","currency":"CNY"}}"#;

    #[test]
    fn a_file_has_one_message_or_a_list_or_one_a_line() {
        for (text, count) in
            [(FACT.to_owned(), 1), (format!("[{FACT},{FACT}]"), 2), (format!("{FACT}\n{FACT}\n{FACT}\n"), 3)]
        {
            let messages = all_fit(&text).unwrap();
            assert_eq!(messages.len(), count);
            assert!(messages.iter().all(|it| it.queue == "outflow.facts" && it.body() == FACT.as_bytes()));
        }
    }

    #[test]
    fn one_wrong_message_keeps_all_of_them_back_and_each_fault_is_named() {
        let wrong = FACT.replace("\"1.00\"", "1.00");
        let error = format!("{:#}", all_fit(&format!("{FACT}\n{wrong}\n{{}}")).unwrap_err());
        assert!(error.contains("2 of 3 messages"), "{error}");
        assert!(error.contains("message 2: /data/amount") && error.contains("message 3"), "{error}");
        for text in ["", "[]", "nonsense"] {
            assert!(all_fit(text).is_err(), "{text:?}");
        }
    }
}
