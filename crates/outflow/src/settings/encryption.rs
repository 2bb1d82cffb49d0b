//! S08, S09: nothing travels in plain text outside the dev profile, except within
//! this machine.

use anyhow::Result;
use secrecy::ExposeSecret;

use super::{Profile, Settings};
use crate::exit::{Exit, Failure};

/// The modes of `sslmode` that make sure of TLS; the last two make sure of who answers too.
const SAFE_MODES: &[&str] = &["require", "verify-ca", "verify-full"];

impl Settings {
    /// Refuses addresses of other machines at which nothing is encrypted.
    ///
    /// # Errors
    /// When there is one. It is not repeated.
    pub(crate) fn refuse_plain_text(&self) -> Result<()> {
        if self.profile == Profile::Dev {
            return Ok(());
        }
        let database = self.database_url().ok().filter(|url| is_plain_database(url.expose_secret()));
        let broker = self.broker_url().ok().filter(|url| is_plain_broker(url.expose_secret()));
        for (found, name, next) in [
            (
                database,
                "database",
                "put sslmode=verify-full into it, and sslrootcert=FILE where the authority is your own",
            ),
            (
                broker,
                "broker",
                "let it begin with amqps://, and put cacertfile=FILE into it where the authority is your own",
            ),
        ] {
            if found.is_some() {
                let what = format!("the {name} is on another machine, and its address does not ask for TLS");
                let next = format!("{next}; or set `profile = \"dev\"` on a network of your own");
                return Err(Failure::new(Exit::Usage, what, next).into());
            }
        }
        Ok(())
    }
}

fn is_plain_broker(url: &str) -> bool {
    !url.starts_with("amqps://") && !is_here(url)
}

fn is_plain_database(url: &str) -> bool {
    let (_, query) = url.split_once('?').unwrap_or((url, ""));
    let said = |names: [&str; 2]| {
        let pairs = query.split('&').filter_map(|it| it.split_once('='));
        pairs.filter(|(name, _)| names.contains(name)).map(|(_, value)| value).next_back()
    };
    let safe = said(["sslmode", "ssl-mode"]).is_some_and(|mode| SAFE_MODES.contains(&mode));
    // A socket in the file system: it may stand in the parameters.
    let socket = said(["host", "host"]).is_some_and(|host| host.starts_with('/') || host.starts_with("%2F"));
    !safe && !socket && !is_here(url)
}

/// Whether a URL leads to this machine.
fn is_here(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let place = authority.rsplit_once('@').map_or(authority, |(_, place)| place);
    let host = match place.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => place.split(':').next().unwrap_or_default(),
    };
    host.is_empty()
        || host == "localhost"
        || host.starts_with('/')
        || host.starts_with("%2F")
        || host.parse::<std::net::IpAddr>().is_ok_and(|it| it.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::{is_plain_broker, is_plain_database};

    #[test]
    fn s08_s09_what_leaves_this_machine_is_encrypted() {
        for (url, plain) in [
            ("amqp://outflow:x@mq.internal/outflow", true),
            ("amqps://outflow:x@mq.internal/outflow", false),
            ("amqp://outflow:x@127.0.0.1:5672/", false),
            ("amqp://outflow:x@[::1]:5672/", false),
            ("amqp://outflow:x@localhost/", false),
            ("amqp://outflow:x@10.0.0.7/", true),
            ("amqp://localhost:x@mq.internal/", true),
        ] {
            assert_eq!(is_plain_broker(url), plain, "{url}");
        }
        for (url, plain) in [
            ("postgres://outflow@db.internal/outflow", true),
            ("postgres://outflow@db.internal/outflow?sslmode=prefer", true),
            ("postgres://outflow@db.internal/outflow?sslmode=disable", true),
            ("postgres://outflow@db.internal/outflow?sslmode=require", false),
            ("postgres://outflow@db.internal/outflow?application_name=x&sslmode=verify-full", false),
            // The last one counts.
            ("postgres://outflow@db.internal/outflow?sslmode=verify-full&sslmode=disable", true),
            ("postgres://outflow@127.0.0.1:5432/outflow", false),
            ("postgres:///outflow?host=/run/postgresql", false),
            ("postgres://%2Frun%2Fpostgresql/outflow", false),
        ] {
            assert_eq!(is_plain_database(url), plain, "{url}");
        }
    }
}
