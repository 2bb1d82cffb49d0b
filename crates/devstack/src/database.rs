//! Databases of one's own on a server that is there.
//!
//! They are made through `psql`, which comes with every PostgreSQL, and which
//! understands any URL that someone may have set.

use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use tokio::process::Command;

use crate::locate;

/// The longest name PostgreSQL keeps, less what makes a name unique.
const PREFIX_MAX: usize = 40;

/// Creates an empty database named `prefix` and something unique on the server
/// of `url`, and returns its URL.
pub(crate) async fn create_fresh(url: &str, prefix: &str) -> Result<String> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let is_name = prefix.starts_with(|it: char| it.is_ascii_lowercase()) && prefix.bytes().all(plain);
    ensure!(
        is_name && prefix.len() <= PREFIX_MAX,
        "{prefix:?} cannot begin a database's name: a lower-case letter, then a-z, 0-9 and _, {PREFIX_MAX} at most"
    );
    let name = format!("{prefix}_{:016x}", rand::random::<u64>());
    let fresh = with_path(url, &name).with_context(|| "the database's URL has no host".to_owned())?;
    create(url, &name).await?;
    Ok(fresh)
}

/// Creates the database `name`, which must be a plain lower-case name.
pub(crate) async fn create(url: &str, name: &str) -> Result<()> {
    // template0 has no clients by nature; template1 with one cannot be copied.
    let statement = format!("create database {name} template template0");
    let psql = locate::psql()
        .context("`psql` not found: install PostgreSQL's client programs (postgresql-client)")?;
    let mut command = Command::new(psql);
    command.args(["--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1"]);
    command.args(["--command", &statement, "--dbname", url]);
    command
        .env_clear()
        .env("PATH", locate::SYSTEM_PATH)
        .env("PGCONNECT_TIMEOUT", "10")
        .env("PGAPPNAME", "devstack");
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await.context("cannot run psql")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "cannot create the database {name}: {}", said.trim());
    Ok(())
}

/// `url` with another path: another database, or another virtual host.
///
/// `None` when there is no `scheme://host` in front of it.
pub(crate) fn with_path(url: &str, path: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let (rest, query) = match rest.split_once('?') {
        Some((rest, query)) => (rest, format!("?{query}")),
        None => (rest, String::new()),
    };
    let authority = rest.split_once('/').map_or(rest, |(authority, _)| authority);
    (!authority.is_empty()).then(|| format!("{scheme}://{authority}/{path}{query}"))
}

#[cfg(test)]
mod tests {
    use super::{create_fresh, with_path};

    #[test]
    fn another_path_leaves_the_rest_of_a_url_alone() {
        for (url, expected) in [
            ("postgres://u@127.0.0.1:5432/outflow", Some("postgres://u@127.0.0.1:5432/new")),
            ("postgres://u:p%2F@h/db?sslmode=require", Some("postgres://u:p%2F@h/new?sslmode=require")),
            ("amqp://u:p@h:5672/%2f", Some("amqp://u:p@h:5672/new")),
            ("amqp://h", Some("amqp://h/new")),
            ("amqp://h?heartbeat=1", Some("amqp://h/new?heartbeat=1")),
            ("not a url", None),
            ("postgres:///db", None),
        ] {
            assert_eq!(with_path(url, "new").as_deref(), expected, "{url}");
        }
    }

    #[tokio::test]
    async fn a_prefix_that_is_no_plain_name_is_refused_before_anything_runs() {
        for prefix in ["", "Upper", "9lives", "a-b", "a\"; drop database x; --", &"a".repeat(41)] {
            let refusal = create_fresh("postgres://nowhere/x", prefix).await.unwrap_err().to_string();
            assert!(refusal.contains("cannot begin a database's name"), "{refusal}");
        }
    }
}
