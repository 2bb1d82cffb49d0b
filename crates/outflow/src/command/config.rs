//! `outflow config`: what the settings are, and whether they hold together.

use anyhow::{Context, Result};
use serde_json::json;
use workers::codes::Delivery;

use crate::cli::{Config, General};
use crate::exit::{Exit, Failure};
use crate::output;
use crate::settings::{Assigned, Settings, reference, values};

/// Checks, shows or documents the settings.
///
/// # Errors
/// When they cannot be read, or `check` finds something that is wrong.
pub(crate) fn run(general: &General, action: &Config) -> Result<()> {
    match action {
        Config::Check => check(general),
        Config::Show => show(general),
        Config::Reference => {
            output::page(&reference());
            Ok(())
        }
    }
}

/// One thing that the settings name, and whether it is as it must be.
pub(crate) struct Part {
    /// What it is.
    pub(crate) name: &'static str,
    /// What was found, or what is wrong.
    pub(crate) found: Result<String>,
}

/// Reads everything that the settings name. Asks no server.
pub(crate) fn parts(settings: &Settings) -> Vec<Part> {
    let part = |name, found| Part { name, found };
    let set = |_| "set".to_owned();
    vec![
        part(
            "passwords",
            settings.refuse_default_passwords().map(|()| "none that everybody knows".to_owned()),
        ),
        part(
            "encryption",
            settings.refuse_plain_text().map(|()| "nothing crosses a network in plain text".to_owned()),
        ),
        part("address of the database", settings.database_url().map(set)),
        part("address of the broker", settings.broker_url().map(set)),
        part("keys of the vault", settings.vault().map(|_| "can be read".to_owned())),
        part("proofs of verification", settings.proofs().map(|_| "can be checked".to_owned())),
        part("delivery of codes", delivery(settings)),
        part("working-day calendar", settings.calendar().map(|_| "can be read".to_owned())),
        part(
            "collector of spans",
            settings.collector().map(|it| match it {
                Some(_) => "set".to_owned(),
                None => "not set: spans are not exported".to_owned(),
            }),
        ),
        part(
            "keys of the gateways",
            settings.gateways().map(|it| match it {
                Some(_) => "can be read".to_owned(),
                None => "not set: only the workers payout and settle need them".to_owned(),
            }),
        ),
    ]
}

/// Only who issues codes needs to deliver them.
fn delivery(settings: &Settings) -> Result<String> {
    if settings.code_keys().is_err() {
        return Ok("no codes are issued here".to_owned());
    }
    match settings.code_delivery() {
        Ok(Delivery::Shown) => Ok("codes are shown, as on a machine of one's own".to_owned()),
        Ok(Delivery::Sealed(_)) => Ok("sealed for the service that sends them".to_owned()),
        Err(_) if !settings.verification.any_delivery_key() => {
            Ok("no key: codes cannot be issued here, only proofs of others checked".to_owned())
        }
        Err(error) => Err(error),
    }
}

fn check(general: &General) -> Result<()> {
    let settings = Settings::gather(general.config.as_deref())?;
    let parts = parts(&settings);
    if general.output.is_data() {
        let row = |it: &Part| {
            let detail = it.found.as_ref().map_or_else(|error| format!("{error:#}"), Clone::clone);
            json!({ "part": it.name, "ok": it.found.is_ok(), "detail": detail })
        };
        output::data(general.output, &parts.iter().map(row).collect());
    } else {
        for it in &parts {
            match &it.found {
                Ok(detail) => output::page(&format!("✓ {}: {detail}\n", it.name)),
                Err(error) => output::page(&format!("✗ {}: {error:#}\n", it.name)),
            }
        }
    }
    let wrong: Vec<&str> = parts.iter().filter(|it| it.found.is_err()).map(|it| it.name).collect();
    if wrong.is_empty() {
        output::talk("The settings hold together.");
        output::next(general, "outflow doctor, which asks the servers too");
        return Ok(());
    }
    let what = format!("the settings are not complete: {}", wrong.join(", "));
    Err(Failure::new(
        Exit::Usage,
        what,
        "config/outflow.toml explains every setting; then outflow config check",
    )
    .into())
}

fn show(general: &General) -> Result<()> {
    let settings = Settings::gather(general.config.as_deref())?;
    let file = Settings::file(general.config.as_deref());
    let text = match &file {
        Some(file) => {
            std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?
        }
        None => String::new(),
    };
    let given = |name: &str| std::env::var_os(name).is_some_and(|it| !it.is_empty());
    let values = values(&settings, &text, &given);
    if general.output.is_data() {
        let row = |it: &Assigned| json!({ "setting": it.setting, "value": it.value, "from": it.origin.to_string() });
        output::data(general.output, &values.iter().map(row).collect());
    } else {
        let mut table = output::table(&["setting", "value", "from"]);
        for it in &values {
            table.add_row([it.setting.clone(), shown(&it.value), it.origin.to_string()]);
        }
        output::page(&format!("{table}\n"));
    }
    match file {
        Some(file) => output::talk(&format!("The file is {}.", file.display())),
        None => {
            output::talk(
                "There is no settings file: config/outflow.toml in the source is one to start from.",
            );
        }
    }
    output::next(general, "outflow config check");
    Ok(())
}

/// A value as a person reads it.
fn shown(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Null => "–".to_owned(),
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
