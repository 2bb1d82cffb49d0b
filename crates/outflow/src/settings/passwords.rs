//! S06: a password that everybody knows is refused outside the dev profile.

use anyhow::Result;
use secrecy::ExposeSecret;

use super::{Profile, Settings};
use crate::exit::{Exit, Failure};

/// Passwords of manuals and images.
const KNOWN: &[&str] =
    &["guest", "password", "postgres", "rabbitmq", "admin", "root", "changeme", "secret", "test"];

impl Settings {
    /// Refuses default passwords in the URLs of the database and the broker.
    ///
    /// # Errors
    /// When there is one. It is not repeated.
    pub(crate) fn refuse_default_passwords(&self) -> Result<()> {
        if self.profile == Profile::Dev {
            return Ok(());
        }
        let database =
            self.database_url().ok().filter(|url| is_default(url.expose_secret(), NoPassword::Fine));
        let broker = self.broker_url().ok().filter(|url| is_default(url.expose_secret(), NoPassword::Guest));
        for (found, name) in [(database, "database"), (broker, "broker")] {
            if found.is_some() {
                return Err(Failure::new(
                    Exit::Usage,
                    format!("the {name}'s address has a default user or password"),
                    "give the product a user and a password of its own, or set `profile = \"dev\"` on a machine of your own",
                )
                .into());
            }
        }
        Ok(())
    }
}

/// What a URL without a password means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NoPassword {
    /// Certificates, peer authentication or a password file.
    Fine,
    /// RabbitMQ's clients then use guest and guest.
    Guest,
}

fn is_default(url: &str, without: NoPassword) -> bool {
    let Some((user, password)) = credentials(url) else { return without == NoPassword::Guest };
    user == "guest" || (!password.is_empty() && (password == user || KNOWN.contains(&password.as_str())))
}

/// User and password of a URL, in lower case.
fn credentials(url: &str) -> Option<(String, String)> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?']).next()?;
    let (user_info, _) = authority.rsplit_once('@')?;
    let (user, password) = user_info.split_once(':').unwrap_or((user_info, ""));
    Some((user.to_lowercase(), password.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::{NoPassword, is_default};

    #[test]
    fn s06_default_passwords_are_known() {
        for (url, without, expected) in [
            ("amqp://guest:guest@broker:5672/", NoPassword::Guest, true),
            ("amqp://broker:5672/", NoPassword::Guest, true),
            ("amqp://outflow:outflow@broker/", NoPassword::Guest, true),
            ("amqp://outflow:Password@broker/", NoPassword::Guest, true),
            ("amqps://outflow:Zr4-q7@broker/", NoPassword::Guest, false),
            ("postgres://postgres:postgres@db/outflow", NoPassword::Fine, true),
            ("postgres://outflow@db/outflow", NoPassword::Fine, false),
            ("postgres:///outflow?host=/run/postgresql", NoPassword::Fine, false),
            ("postgres://outflow:k%2F9!x@db/outflow", NoPassword::Fine, false),
        ] {
            assert_eq!(is_default(url, without), expected, "{url}");
        }
    }
}
