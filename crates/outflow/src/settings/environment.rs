//! Environment variables that come before the settings file.

use std::path::PathBuf;

use anyhow::Result;

use super::{Profile, Secret, Settings};
use crate::exit::{Exit, Failure};

/// A variable and what it says.
pub(super) struct Variable {
    /// Its name.
    pub(super) name: &'static str,
    /// The settings that it comes before; the first one is where its value stands.
    pub(super) settings: &'static [&'static str],
    /// How it is written, where not as in the file.
    pub(super) form: &'static str,
}

/// A variable that is written as its setting is.
const fn plain(name: &'static str, settings: &'static [&'static str]) -> Variable {
    Variable { name, settings, form: "" }
}

/// Every variable that is looked at.
pub(super) const VARIABLES: &[Variable] = &[
    Variable { name: "OUTFLOW_CONFIG", settings: &[], form: "the place of the settings file" },
    plain("OUTFLOW_PROFILE", &["profile"]),
    plain("OUTFLOW_DATABASE_URL", &["database.url", "database.url_file"]),
    plain("OUTFLOW_DATABASE_CONNECTIONS", &["database.connections"]),
    plain("OUTFLOW_AMQP_URL", &["broker.url", "broker.url_file"]),
    Variable { name: "OUTFLOW_VAULT_KEYS", settings: &["vault.keys"], form: "`id:hex,id:hex`" },
    Variable {
        name: "OUTFLOW_VAULT_LOOKUP_KEY",
        settings: &["vault.lookup_key_file"],
        form: "64 hexadecimal digits",
    },
    Variable { name: "OUTFLOW_VERIFICATION_KEYS", settings: &["verification.keys"], form: "`id:hex,id:hex`" },
    Variable {
        name: "OUTFLOW_DELIVERY_KEYS",
        settings: &["verification.delivery_keys"],
        form: "`id:hex,id:hex`",
    },
    plain("OUTFLOW_GATEWAY_KEYS", &["gateways.key_folder"]),
    plain("OUTFLOW_GATEWAY_URL", &["gateways.base_url"]),
    plain("OUTFLOW_NOTIFY_URL", &["gateways.notify_url"]),
    plain("OUTFLOW_CALENDAR", &["calendar.folder"]),
    plain("OUTFLOW_API_LISTEN", &["api.listen"]),
];

/// Puts what the environment says over what the file said. An empty variable
/// says nothing.
///
/// # Errors
/// When a variable cannot be read. Its value is not repeated.
pub(super) fn overlay(settings: &mut Settings, variable: &dyn Fn(&str) -> Option<String>) -> Result<()> {
    let said = |name: &str| variable(name).filter(|value| !value.is_empty());
    if let Some(url) = said("OUTFLOW_DATABASE_URL") {
        settings.database.url = Some(Secret::from(url));
    }
    if let Some(url) = said("OUTFLOW_AMQP_URL") {
        settings.broker.url = Some(Secret::from(url));
    }
    if let Some(count) = said("OUTFLOW_DATABASE_CONNECTIONS") {
        settings.database.connections =
            count.parse().map_err(|_| wrong("OUTFLOW_DATABASE_CONNECTIONS", "must be a whole number"))?;
    }
    if let Some(profile) = said("OUTFLOW_PROFILE") {
        settings.profile = profile
            .parse::<Profile>()
            .map_err(|_| wrong("OUTFLOW_PROFILE", "must be `production` or `dev`"))?;
    }
    if let Some(keys) = said("OUTFLOW_VAULT_KEYS") {
        settings.vault.keys_given = Some(Secret::from(keys));
    }
    if let Some(key) = said("OUTFLOW_VAULT_LOOKUP_KEY") {
        settings.vault.lookup_key_given = Some(Secret::from(key));
    }
    if let Some(keys) = said("OUTFLOW_VERIFICATION_KEYS") {
        settings.verification.keys_given = Some(Secret::from(keys));
    }
    if let Some(keys) = said("OUTFLOW_DELIVERY_KEYS") {
        settings.verification.delivery_keys_given = Some(Secret::from(keys));
    }
    if let Some(folder) = said("OUTFLOW_GATEWAY_KEYS") {
        settings.gateways.key_folder = Some(absolute(folder));
    }
    if let Some(url) = said("OUTFLOW_GATEWAY_URL") {
        settings.gateways.base_url = Some(url);
    }
    if let Some(url) = said("OUTFLOW_NOTIFY_URL") {
        settings.gateways.notify_url = Some(url);
    }
    if let Some(address) = said("OUTFLOW_API_LISTEN") {
        settings.api.listen = address
            .parse()
            .map_err(|_| wrong("OUTFLOW_API_LISTEN", "must be an address such as 127.0.0.1:8086"))?;
    }
    if let Some(folder) = said("OUTFLOW_CALENDAR") {
        settings.calendar.folder = Some(absolute(folder));
    }
    Ok(())
}

/// A path of the environment starts at the working directory, not at the file.
fn absolute(path: String) -> PathBuf {
    let path = PathBuf::from(path);
    std::path::absolute(&path).unwrap_or(path)
}

fn wrong(name: &str, rule: &str) -> Failure {
    Failure::new(Exit::Usage, format!("{name} {rule}"), format!("correct or unset {name}"))
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::BTreeSet;

    use super::{VARIABLES, overlay};
    use crate::settings::{Profile, Settings};

    fn with(variables: &[(&str, &str)]) -> anyhow::Result<Settings> {
        let mut settings = Settings::default();
        let find = |name: &str| variables.iter().find(|it| it.0 == name).map(|it| it.1.to_owned());
        overlay(&mut settings, &find).map(|()| settings)
    }

    #[test]
    fn the_environment_comes_before_the_file_and_empty_says_nothing() {
        let settings = with(&[("OUTFLOW_PROFILE", "dev"), ("OUTFLOW_DATABASE_CONNECTIONS", "3")]).unwrap();
        assert_eq!((settings.profile, settings.database.connections), (Profile::Dev, 3));
        assert_eq!(with(&[("OUTFLOW_PROFILE", "")]).unwrap().profile, Profile::Production);
    }

    #[test]
    fn a_variable_that_cannot_be_read_is_named_and_not_repeated() {
        for (name, value) in [("OUTFLOW_PROFILE", "secret"), ("OUTFLOW_DATABASE_CONNECTIONS", "secret")] {
            let error = with(&[(name, value)]).unwrap_err().to_string();
            assert!(error.contains(name) && !error.contains(value), "{error}");
        }
    }

    #[test]
    fn every_variable_that_is_looked_at_is_in_the_list() {
        let asked = RefCell::new(BTreeSet::from(["OUTFLOW_CONFIG".to_owned()]));
        let ask = |name: &str| {
            asked.borrow_mut().insert(name.to_owned());
            None
        };
        overlay(&mut Settings::default(), &ask).unwrap();
        let listed: BTreeSet<String> = VARIABLES.iter().map(|it| it.name.to_owned()).collect();
        assert_eq!(asked.into_inner(), listed);
    }
}
