//! Where the value of each setting comes from: the product, the file or the environment.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value as Json;

use super::Settings;
use super::environment::VARIABLES;

/// What stands where a secret is.
const SECRET: &str = "(secret)";

/// Who said it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Nobody did: it is what the product takes for granted.
    Default,
    /// The settings file.
    File,
    /// A variable of the environment, by its name.
    Environment(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File => f.write_str("file"),
            Self::Environment(name) => write!(f, "environment ({name})"),
        }
    }
}

/// A setting with its value, without secrets.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Assigned {
    /// Its name with its tables, such as `database.connections`.
    pub(crate) setting: String,
    /// What is in force; null where nothing is.
    pub(crate) value: Json,
    /// Who said so.
    pub(crate) origin: Origin,
}

/// Every setting. `file` is the text of the settings file; `given` says which
/// variables say something.
///
/// # Panics
/// Never: settings are plain data.
pub(crate) fn values(settings: &Settings, file: &str, given: &dyn Fn(&str) -> bool) -> Vec<Assigned> {
    let in_force = serde_json::to_value(settings).expect("settings are plain data");
    // The settings were read from this text already.
    let file: Json = toml::from_str(file).unwrap_or_default();
    let from_file: BTreeSet<String> = leaves(&file).into_iter().map(|(name, _)| name).collect();
    let value = |(setting, value): (String, &Json)| {
        let variable = VARIABLES
            .iter()
            .find(|it| it.settings.first().is_some_and(|first| *first == setting) && given(it.name));
        let within = |name: &String| *name == setting || name.starts_with(&format!("{setting}."));
        let origin = match variable {
            Some(it) => Origin::Environment(it.name),
            None if from_file.iter().any(within) => Origin::File,
            None => Origin::Default,
        };
        // A key of the environment never stands in the settings themselves.
        let is_elsewhere = variable.is_some() && is_nothing(value);
        let value = if is_elsewhere { SECRET.into() } else { masked(value) };
        Assigned { setting, value, origin }
    };
    leaves(&in_force).into_iter().map(value).collect()
}

fn is_nothing(value: &Json) -> bool {
    value.is_null() || value.as_array().is_some_and(Vec::is_empty)
}

/// Everything that is no table, with its path.
fn leaves(value: &Json) -> Vec<(String, &Json)> {
    let mut found = Vec::new();
    collect(String::new(), value, &mut found);
    found
}

fn collect<'a>(path: String, value: &'a Json, found: &mut Vec<(String, &'a Json)>) {
    match value {
        Json::Object(fields) if path.is_empty() || !fields.is_empty() => {
            for (name, field) in fields {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                collect(path, field, found);
            }
        }
        leaf => found.push((path, leaf)),
    }
}

/// A value in which no address has its password.
fn masked(value: &Json) -> Json {
    match value {
        Json::String(text) => without_password(text).into(),
        Json::Array(items) => items.iter().map(masked).collect(),
        Json::Object(fields) => fields.iter().map(|(name, it)| (name.clone(), masked(it))).collect(),
        other => other.clone(),
    }
}

/// `scheme://user:password@host` without its password.
fn without_password(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest[..end].rsplit_once('@') {
        Some((user, host)) => {
            let user = user.split(':').next().unwrap_or_default();
            format!("{scheme}://{user}:{SECRET}@{host}{}", &rest[end..])
        }
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Origin, Settings, values, without_password};

    #[test]
    fn every_value_says_where_it_comes_from_and_no_secret_is_shown() {
        let file = "profile = \"dev\"\n[database]\nurl = \"postgres://o:hush@db/o\"\nconnections = 4\n\
                    [gateways]\nbase_url = \"http://me:hush@127.0.0.1:1\"\n[policy.approval.channels]\nbank = 1\n";
        let settings: Settings = toml::from_str(file).unwrap();
        let given = |name: &str| ["OUTFLOW_DATABASE_CONNECTIONS", "OUTFLOW_VAULT_KEYS"].contains(&name);
        let values = values(&settings, file, &given);
        for (setting, value, origin) in [
            ("profile", json!("dev"), Origin::File),
            ("database.url", json!("(secret)"), Origin::File),
            ("database.url_file", json!(null), Origin::Default),
            ("database.connections", json!(4), Origin::Environment("OUTFLOW_DATABASE_CONNECTIONS")),
            ("vault.keys", json!("(secret)"), Origin::Environment("OUTFLOW_VAULT_KEYS")),
            ("gateways.base_url", json!("http://me:(secret)@127.0.0.1:1"), Origin::File),
            ("policy.approval.channels.bank", json!(1), Origin::File),
            ("policy.approvers", json!(2), Origin::Default),
            ("policy.windows.of_entity", json!({}), Origin::Default),
        ] {
            let found = values.iter().find(|it| it.setting == setting).unwrap_or_else(|| panic!("{setting}"));
            assert_eq!((&found.value, found.origin), (&value, origin), "{setting}");
        }
        assert!(!format!("{values:?}").contains("hush"));
    }

    #[test]
    fn an_address_is_shown_without_its_password() {
        for (text, shown) in [
            ("https://bank.internal/pay", "https://bank.internal/pay"),
            ("https://us:pa@ss@bank/pay?x=1@2", "https://us:(secret)@bank/pay?x=1@2"),
            ("https://token@bank", "https://token:(secret)@bank"),
            ("5000.00", "5000.00"),
        ] {
            assert_eq!(without_password(text), shown);
        }
    }
}
