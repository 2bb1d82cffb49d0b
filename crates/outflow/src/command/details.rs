//! `outflow details`: publishes bank details for a withdrawal that waits for
//! them, or whose details change (R11).
//!
//! The account number is read from a file or from stdin, never from the command
//! line, and is not shown.

use anyhow::Result;
use broker::contract::{PartialBankAccount, Stamp, WithdrawalDetails};
use broker::topology::DECISIONS;
use broker::{Outgoing, Published, Publisher};
use serde_json::{Value, json};
use uuid::Uuid;
use workers::Clock;

use super::{messages, publish};
use crate::cli::{Details, General};
use crate::exit::{Exit, Failure};
use crate::settings::Settings;
use crate::{output, wiring};

/// Who sends the messages of this command.
const SOURCE: &str = "/outflow/cli";

/// Publishes the details of a file.
///
/// # Errors
/// When the file holds no bank account, the broker is away, or it is unknown
/// whether it has the message.
pub(crate) async fn run(general: &General, arguments: &Details) -> Result<()> {
    let bank_account = read(&messages::read(&arguments.file)?)?;
    let settings = Settings::load(general.config.as_deref())?;
    let connections = wiring::broker(&settings, "outflow details").await?;
    let id = Uuid::now_v7().to_string();
    let stamp = Stamp {
        source: SOURCE.parse().expect("it is a URI reference"),
        id: id.parse().expect("a UUID is a short text"),
        time: Clock::System.now(),
    };
    let details = WithdrawalDetails {
        withdrawal_id: arguments.id,
        bank_account,
        actor: arguments.by.clone(),
        expected_version: arguments.expected_version,
    };
    let message = Outgoing::work(DECISIONS, id.clone(), details.into_message(stamp).to_json());
    let result = Publisher::new(&connections).publish(message).await;
    publish::judge(std::slice::from_ref(&result))?;
    debug_assert_eq!(result, Published::Confirmed, "every other answer is a failure");
    if general.output.is_data() {
        output::data(general.output, &json!({ "source": SOURCE, "id": id, "withdrawal_id": arguments.id }));
    } else {
        println!("bank details for {} are on their way as {id} of {SOURCE}", arguments.id);
    }
    output::next(general, &format!("outflow show {}", arguments.id));
    Ok(())
}

/// One bank account as the contract writes it. Problems do not repeat its values.
fn read(text: &str) -> Result<PartialBankAccount> {
    let refused = |what: String| {
        let next = "write an object with holder, number, bank_name, branch and cnaps, all of them texts";
        Failure::new(Exit::Refused, what, next)
    };
    let value: Value = serde_json::from_str(text).map_err(|_| refused("the file is not JSON".to_owned()))?;
    let account = broker::contract::parse_bank_account(&value).map_err(|problem| {
        let place = problem.pointer.as_deref().filter(|it| !it.is_empty()).unwrap_or("the bank account");
        refused(format!("{place} {} ({})", problem.detail, problem.code))
    })?;
    let missing = account.missing();
    if missing.is_empty() {
        return Ok(account);
    }
    Err(refused(format!("a bank needs all five fields; missing: {}", missing.join(", "))).into())
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn a_file_with_bank_details_is_whole_or_names_what_is_wrong_without_repeating_it() {
        let whole = r#"{"holder":"张三","number":"6222020200112233445","bank_name":"中国银行","branch":"北京分行","cnaps":"104100000004"}"#;
        assert!(read(whole).is_ok());
        for (text, expected) in [
            ("6222020200112233445 x", "not JSON"),
            (&whole.replace("6222020200112233445", "6222 0202 0011 2233 445"), "/number must have 8 to 34"),
            (&whole.replace(r#","cnaps":"104100000004""#, ""), "missing: cnaps"),
            (&whole.replace("holder", "owner"), "/owner is not a field"),
        ] {
            let error = format!("{:#}", read(text).unwrap_err());
            assert!(error.contains(expected) && !error.contains("0011"), "{error}");
        }
    }
}
