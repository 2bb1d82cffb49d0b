//! `outflow code`: issues a verification code, and turns an entered one into a
//! token (R10).
//!
//! An entered code is read from stdin: what stands on a command line can be read
//! by everybody on the machine.

use std::io::{BufRead, IsTerminal};

use anyhow::Result;
use domain::Money;
use secrecy::ExposeSecret;
use serde_json::json;
use uuid::Uuid;
use workers::Clock;
use workers::codes::{CodeError, CodeRefusal, Codes, Purpose};

use crate::cli::{Code, General, IssueCode};
use crate::exit::{Exit, Failure};
use crate::settings::Settings;
use crate::{output, wiring};

/// Issues or confirms a code.
///
/// # Errors
/// When a rule refuses it, a key is missing, or the database is away.
pub(crate) async fn run(general: &General, action: &Code) -> Result<()> {
    let settings = Settings::load(general.config.as_deref())?;
    let codes = wiring::codes(&settings).await?;
    match action {
        Code::Issue(arguments) => issue(general, &codes, arguments).await,
        Code::Confirm { id } => confirm(general, &codes, *id).await,
    }
}

async fn issue(general: &General, codes: &Codes, arguments: &IssueCode) -> Result<()> {
    let amount = Money::parse(&arguments.amount, arguments.currency).map_err(|error| {
        let what = format!("the amount {error}");
        Failure::new(Exit::Usage, what, "write it like 88.80, with the currency's decimals")
    })?;
    let purpose = Purpose {
        account_id: arguments.account.clone(),
        amount,
        currency: arguments.currency,
        route: arguments.route,
        request_id: arguments.request_id.clone(),
    };
    let issued = codes.issue(&purpose, Clock::System.now()).await.map_err(explain)?;
    let code = issued.code.as_ref().map(ExposeSecret::expose_secret);
    if general.output.is_data() {
        output::data(
            general.output,
            &json!({ "code_id": issued.id, "expires_at": issued.expires_at, "code": code }),
        );
        return Ok(());
    }
    println!("code {}, good until {}", issued.id, output::moment(issued.expires_at));
    match code {
        Some(code) => println!("{code}"),
        None => println!("sent to the service that delivers codes"),
    }
    output::next(general, &format!("outflow code confirm {}, with the code on stdin", issued.id));
    Ok(())
}

async fn confirm(general: &General, codes: &Codes, id: Uuid) -> Result<()> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        eprint!("The six digits: ");
    }
    let mut entered = String::new();
    stdin.lock().read_line(&mut entered)?;
    if entered.trim().is_empty() {
        let what = "there is no code on stdin";
        return Err(
            Failure::new(Exit::Usage, what, format!("echo 123456 | outflow code confirm {id}")).into()
        );
    }
    let token = codes.confirm(id, &entered, Clock::System.now()).await.map_err(explain)?;
    if general.output.is_data() {
        output::data(general.output, &json!({ "token": token }));
    } else {
        println!("{token}");
        output::next(general, "put it into the field `verification` of the request, within ten minutes");
    }
    Ok(())
}

/// What a person can do about it.
fn explain(error: CodeError) -> anyhow::Error {
    let CodeError::Refused(refusal) = error else { return error.into() };
    let (exit, next) = match refusal {
        CodeRefusal::UnknownAccount => (Exit::NotFound, "publish the account's facts first"),
        CodeRefusal::UnknownCode => (Exit::NotFound, "outflow code issue makes one and says its number"),
        CodeRefusal::Wrong => (Exit::Refused, "enter it again; five wrong guesses end it"),
        CodeRefusal::CurrencyMismatch | CodeRefusal::AmountNotPositive => {
            (Exit::Refused, "ask for an amount in the account's currency")
        }
        CodeRefusal::TooManyCodes => (Exit::Refused, "wait; `codes_per_hour` of [verification] is the limit"),
        CodeRefusal::Expired | CodeRefusal::AttemptsExhausted | CodeRefusal::AlreadyUsed => {
            (Exit::Refused, "outflow code issue makes another one")
        }
    };
    let name: &str = refusal.into();
    Failure::new(exit, format!("{refusal} ({name})"), next).into()
}
