//! The settings: one TOML file, and environment variables that come before it.
//!
//! A key that nobody knows is an error with its line, because a misspelt limit
//! that is silently ignored costs money. Secrets come from files or from the
//! environment, never from the command line, and are never shown (S06).

mod bank;
mod calendar;
mod channels;
mod encryption;
mod environment;
mod gateways;
mod passwords;
mod policy;
mod provenance;
mod reference;
mod secrets;
mod telemetry;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use reqwest::Url;
use schemars::JsonSchema;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};

pub(crate) use bank::BankSettings;
pub(crate) use channels::ChannelsSettings;
pub(crate) use gateways::GatewaySettings;
pub(crate) use policy::PolicySettings;
pub(crate) use provenance::{Assigned, values};
pub(crate) use reference::reference;
pub(crate) use secrets::{Secret, VaultSettings, VerificationSettings};
pub(crate) use telemetry::TelemetrySettings;

use crate::exit::{Exit, Failure};

/// Where settings are looked for when nobody says where.
const USUAL_FILE: &str = "config/outflow.toml";

/// Everything that can be set. Relative paths start at the settings file.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Settings {
    /// How strict to be.
    pub(crate) profile: Profile,
    /// PostgreSQL.
    pub(crate) database: DatabaseSettings,
    /// RabbitMQ.
    pub(crate) broker: BrokerSettings,
    /// The keys that seal account numbers.
    pub(crate) vault: VaultSettings,
    /// R10: who may prove that a code was entered.
    pub(crate) verification: VerificationSettings,
    /// The gateways.
    pub(crate) gateways: GatewaySettings,
    /// Limits, windows, cut-offs.
    pub(crate) policy: PolicySettings,
    /// How much may go to the bank at once.
    pub(crate) bank: BankSettings,
    /// How hard each channel may be pushed.
    pub(crate) channels: ChannelsSettings,
    /// Working days.
    pub(crate) calendar: CalendarSettings,
    /// The API, the console, probes and metrics over HTTP.
    pub(crate) api: ApiSettings,
    /// Where traces go.
    pub(crate) telemetry: TelemetrySettings,
    /// The folder that relative paths start at.
    #[serde(skip)]
    folder: PathBuf,
}

/// How strict to be about passwords.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema, strum::EnumString,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub(crate) enum Profile {
    /// Default passwords are refused.
    #[default]
    Production,
    /// Anything goes: for a machine of one's own.
    Dev,
}

/// PostgreSQL.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct DatabaseSettings {
    /// `postgres://user@host/database`. With a password, use the file or the environment.
    pub(crate) url: Option<Secret>,
    /// A file whose first line is the URL.
    pub(crate) url_file: Option<PathBuf>,
    /// Connections of this process.
    pub(crate) connections: u32,
}

impl Default for DatabaseSettings {
    fn default() -> Self {
        Self { url: None, url_file: None, connections: 16 }
    }
}

/// RabbitMQ.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct BrokerSettings {
    /// `amqp://host/vhost` or `amqps://…`. With a password, use the file or the environment.
    pub(crate) url: Option<Secret>,
    /// A file whose first line is the URL.
    pub(crate) url_file: Option<PathBuf>,
}

/// Working days.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct CalendarSettings {
    /// The folder with one file per year [default: the official years known at build time].
    pub(crate) folder: Option<PathBuf>,
}

/// The API, the console, probes and metrics over HTTP.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ApiSettings {
    /// Where it listens, in plain HTTP: a proxy with TLS stands in front.
    pub(crate) listen: SocketAddr,
}

impl Default for ApiSettings {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 8086)) }
    }
}

impl Settings {
    /// Reads the settings file, if there is one, and the environment over it.
    ///
    /// # Errors
    /// When the file is missing although it was named, or says what nobody
    /// understands: the error shows the line and points at the place.
    pub(crate) fn load(file: Option<&Path>) -> Result<Self> {
        let settings = Self::gather(file)?;
        settings.refuse_default_passwords()?;
        settings.refuse_plain_text()?;
        Ok(settings)
    }

    /// The same without a judgement of the passwords, for those who tell what is wrong.
    ///
    /// # Errors
    /// As [`Settings::load`].
    pub(crate) fn gather(file: Option<&Path>) -> Result<Self> {
        let mut settings = match Self::file(file) {
            Some(file) => Self::read(&file)?,
            None => Self::default(),
        };
        environment::overlay(&mut settings, &|name| std::env::var(name).ok())?;
        Ok(settings)
    }

    /// The settings file: the one that was named, or else the usual one, where it is there.
    pub(crate) fn file(named: Option<&Path>) -> Option<PathBuf> {
        let usual = Path::new(USUAL_FILE);
        named.or_else(|| usual.is_file().then_some(usual)).map(Path::to_path_buf)
    }

    /// Reads one settings file, without the environment.
    ///
    /// # Errors
    /// When it cannot be read or understood.
    pub(crate) fn read(file: &Path) -> Result<Self> {
        let wrong = |what: &str| {
            Failure::new(
                Exit::Usage,
                format!("the settings file {} {what}", file.display()),
                "config/outflow.toml in the source explains every setting",
            )
        };
        let text = std::fs::read_to_string(file).map_err(|error| wrong("cannot be read").because(error))?;
        let mut settings: Self =
            toml::from_str(&text).map_err(|error| wrong("is not right").because(error))?;
        settings.folder = file.parent().map(Path::to_path_buf).unwrap_or_default();
        Ok(settings)
    }

    /// Whether this is a machine of one's own.
    pub(crate) fn is_dev(&self) -> bool {
        self.profile == Profile::Dev
    }

    /// A path of the settings, from the folder of the file that names it.
    pub(crate) fn resolve(&self, path: &Path) -> PathBuf {
        self.folder.join(path)
    }

    /// The database's URL.
    ///
    /// # Errors
    /// When none is set.
    pub(crate) fn database_url(&self) -> Result<Secret> {
        let DatabaseSettings { url, url_file, .. } = &self.database;
        let url = self.url(url.as_ref(), url_file.as_deref(), ("database", "OUTFLOW_DATABASE_URL"))?;
        speaks(url, &["postgres", "postgresql"], ("database", "OUTFLOW_DATABASE_URL"))
    }

    /// The broker's URL.
    ///
    /// # Errors
    /// When none is set.
    pub(crate) fn broker_url(&self) -> Result<Secret> {
        let BrokerSettings { url, url_file } = &self.broker;
        let url = self.url(url.as_ref(), url_file.as_deref(), ("broker", "OUTFLOW_AMQP_URL"))?;
        speaks(url, &["amqp", "amqps"], ("broker", "OUTFLOW_AMQP_URL"))
    }

    fn url(&self, url: Option<&Secret>, file: Option<&Path>, (table, name): (&str, &str)) -> Result<Secret> {
        if let Some(url) = url {
            return Ok(url.clone());
        }
        let file = file.ok_or_else(|| {
            Failure::new(
                Exit::Usage,
                format!("no address of the {table} is set"),
                format!("set {name}, or `url` or `url_file` of [{table}] in the settings file; `outflow dev` starts one"),
            )
        })?;
        let file = self.resolve(file);
        Secret::first_line_of(&file).with_context(|| format!("the {table}'s `url_file` {}", file.display()))
    }

    /// The working days.
    ///
    /// # Errors
    /// When a file of the folder is not a calendar.
    pub(crate) fn calendar(&self) -> Result<domain::Calendar> {
        let folder = self.calendar.folder.as_deref().map(|it| self.resolve(it));
        calendar::load(folder.as_deref())
    }
}

/// An address of one of these protocols. Another is not repeated, because it holds a password.
fn speaks(url: Secret, protocols: &[&str], (table, name): (&str, &str)) -> Result<Secret> {
    if Url::parse(url.expose_secret()).is_ok_and(|it| protocols.contains(&it.scheme())) {
        return Ok(url);
    }
    let what = format!("the address of the {table} does not begin with {}://", protocols.join(":// or "));
    Err(Failure::new(Exit::Usage, what, format!("correct {name}, or `url` or `url_file` of [{table}]"))
        .into())
}

#[cfg(test)]
mod tests {
    use super::Settings;

    #[test]
    fn the_committed_file_says_what_the_code_takes_for_granted() {
        let file: Settings = toml::from_str(include_str!("../../../config/outflow.toml")).unwrap();
        let usual = Settings::default();
        assert_eq!(format!("{:?}", file.policy), format!("{:?}", usual.policy));
        assert_eq!(format!("{:?}", file.bank), format!("{:?}", usual.bank));
        assert_eq!(file.profile, usual.profile);
        assert_eq!(file.database.connections, usual.database.connections);
        assert_eq!(file.api.listen, usual.api.listen);
        assert_eq!(file.verification.codes_per_hour, usual.verification.codes_per_hour);
    }

    #[test]
    fn what_nobody_knows_is_an_error_with_its_line() {
        for (text, line, words) in [
            ("[policy]\nauto_aprove_up_to = \"1.00\"", 2, "unknown field `auto_aprove_up_to`"),
            ("[policy]\n\nauto_approve_up_to = 5000", 3, "expected an amount"),
            ("[policy]\nauto_approve_up_to = \"1e3\"", 2, "must be digits"),
            ("[policy]\nbank_cut_offs = [\"25:00\"]", 2, "a time of day"),
            ("profile = \"prod\"", 1, "unknown variant `prod`"),
            ("[policy]\nbank_cut_offs = []", 2, "at least one"),
            ("[bank]\nfile_transfers = 0", 2, "expected 1 to 2000 transfers, not 0"),
            ("[bank]\ndaily_total = 5", 2, "expected an amount"),
            ("[policy.approval]\nbands = [{ up_to = \"9.00\", people = 0 }]", 2, "at least 1"),
            (
                "[policy.approval]\nbands = [{ up_to = \"9.00\", people = 1 }, { up_to = \"9\", people = 2 }]",
                2,
                "same amount",
            ),
            ("[policy.approval]\naccount_velocity = [{ hours = 24, people = 1 }]", 2, "`most` or `sum`"),
            ("[policy.approval.channels]\nfax = 1", 2, "no channel"),
        ] {
            let error = toml::from_str::<Settings>(text).unwrap_err().to_string();
            assert!(error.contains(&format!("at line {line},")) && error.contains('^'), "{error}");
            assert!(error.contains(words), "{error}");
        }
    }
}
